/**
 * Adds to schemas/golden the bytes of each schema that has none yet. Rewrites nothing: what lies there is what may
 * still lie on somebody's topics.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { localCodecs, WIRE_HEADER_BYTES, type Codec, type RecordName } from '../schemas/codec.ts';
import {
  goldenFiles,
  goldenFolder,
  goldenName,
  isWrittenBy,
  recordNames,
  schemaOf,
  sumOf,
  SUMS,
  type GoldenFile,
} from '../services/testing/golden-records.ts';
import { edgeValues } from '../services/testing/golden-values.ts';

const codecs = localCodecs();
mkdirSync(goldenFolder, { recursive: true });
for (const record of recordNames) {
  const writer = schemaOf(record);
  const last = goldenFiles(record).at(-1);
  if (isWrittenBy(last, writer)) continue;
  const codec = codecs[record] as Codec<RecordName>;
  const cases = edgeValues(writer).map((value) => {
    const bytes = (codec as { encode(value: unknown): Buffer }).encode(value); // of the schema itself
    return { value, bytes: bytes.toString('hex', WIRE_HEADER_BYTES) };
  });
  const file: GoldenFile = { record, version: (last?.version ?? 0) + 1, writer, cases };
  const text = textOf(file);
  writeFileSync(new URL(goldenName(file), goldenFolder), text, { flag: 'wx' }); // never over another
  appendFileSync(new URL(SUMS, goldenFolder), `${sumOf(text)}  ${goldenName(file)}\n`);
  console.log(`added schemas/golden/${goldenName(file)}`);
}

/** A line for the schema, and two for each case. */
function textOf({ record, version, writer, cases }: GoldenFile): string {
  const lines = cases.map(({ value, bytes }) => `{"value":${JSON.stringify(value)},\n "bytes":"${bytes}"}`);
  const head = `{"record":"${record}","version":${String(version)},\n"writer":${JSON.stringify(writer)},\n`;
  return `${head}"cases":[\n${lines.join(',\n')}\n]}\n`;
}
