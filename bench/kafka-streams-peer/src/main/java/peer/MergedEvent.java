package peer;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;

/**
 * A value of events.merged (schemas/avro/MergedEvent.avsc), read as far as it is asked: Avro behind a wire header of five
 * bytes, whose fields come in the schema's order. What nobody asks for is skipped and not made. One object, used again.
 */
final class MergedEvent {
    /** Of a person; other kinds are watermarks and what a merge says. */
    static final int EVENT = 0;
    private static final int WIRE_HEADER = 5, EVENT_PAGE_SCREEN = 2;

    private final Utf8 messageId = new Utf8(), name = new Utf8(), properties = new Utf8();
    private BinaryDecoder in;
    private int kind, type;
    private long mergedAt, receivedAt, timestamp;
    private boolean isNamed;

    /** ms: when the record became the person's; of a watermark how far it has come. */
    long mergedAt() { return mergedAt; }
    /** ms: when it happened, as rules count it. */
    long happenedAt() { return Math.min(timestamp, receivedAt); }
    /** Valid until the next record is read. */
    Utf8 name() { return name; }
    String messageId() { return messageId.toString(); }

    /** As far as its time. */
    void readHead(byte[] value) {
        try {
            in = DecoderFactory.get().binaryDecoder(value, WIRE_HEADER, value.length - WIRE_HEADER, in);
            kind = in.readEnum();
            in.skipString(); // workspace
            in.skipString(); // person_id
            mergedAt = in.readLong();
        } catch (IOException e) { throw new UncheckedIOException(e); }
    }

    /** As far as the name. @return whether it is something that a person did, and has a name. */
    boolean read(byte[] value) {
        readHead(value);
        if (kind != EVENT) return false;
        try {
            in.readBoolean(); // previously_anonymous
            if (in.readIndex() == 1) in.readInt(); // source_partition
            skipText(); // other_person_id
            skipLong(); // fact_number
            skipLong(); // known_as_of
            skipText(); // known_id
            skipText(); // known_email
            in.readLong(); // decided_as_of
            if (in.readIndex() == 0) return false; // event
            receivedAt = in.readLong();
            type = in.readEnum();
            in.readEnum(); // identifier_kind
            skipText(); // identifier
            skipText(); // anonymous_id
            in.readString(messageId);
            timestamp = in.readLong();
            in.skipString(); // workspace
            in.skipString(); // source
            isNamed = in.readIndex() == 1;
            if (isNamed) in.readString(name);
            return isNamed && type <= EVENT_PAGE_SCREEN;
        } catch (IOException e) { throw new UncheckedIOException(e); }
    }

    /** JSON; null: it has none. To be asked once, after `read`. */
    Utf8 properties() {
        try {
            skipText(); // id
            skipText(); // email
            skipText(); // cio_id
            in.readBoolean(); // update_only
            skipLong(); // attributes_at
            return in.readIndex() == 1 ? in.readString(properties) : null;
        } catch (IOException e) { throw new UncheckedIOException(e); }
    }

    private void skipText() throws IOException { if (in.readIndex() == 1) in.skipString(); }
    private void skipLong() throws IOException { if (in.readIndex() == 1) in.readLong(); }
}
