/**
 * A record of events.merged, read in place: what routing and rules ask of most events, without making the strings that
 * nobody asks for; merged-view.test.ts compares with the codec.
 */
import { schemaIdOf, type Codec } from '../../schemas/codec.ts';
import { MergedFields } from '../../schemas/in-place/merged-fields.ts';

/** A value with its wire header. */
interface Lying {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** One object, reused: valid until the next record is taken, and only while the bytes are. */
export class MergedView extends MergedFields {
  /** Reads a value of any version that the codec knows: another than its own is written anew, so one reader serves. */
  take(codec: Codec<'MergedEvent'>, { bytes, start, end }: Lying): void {
    if (schemaIdOf(bytes, start) === codec.schemaId) {
      this.read(bytes, start, end);
      return;
    }
    const rewritten = codec.encode(codec.decode(bytes, start, end));
    this.read(rewritten, 0, rewritten.length);
  }
}
