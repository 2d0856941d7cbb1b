package peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/** Values of segments.changed (schemas/avro/SegmentChange.avsc), with their wire header. */
final class SegmentChange {
    static final int ENTERED = 0, LEFT = 1;

    private final byte[] header;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    private BinaryEncoder out;

    /** @param schemaId of the registry. */
    SegmentChange(int schemaId) { header = ByteBuffer.allocate(5).put((byte) 0).putInt(schemaId).array(); }

    /** @param key `workspace:person_id`. @param messageId of the call that it was; null: it was time. */
    byte[] encode(byte[] key, SegmentRule rule, int change, long at, String messageId) {
        String person = new String(key, StandardCharsets.UTF_8);
        int colon = person.indexOf(':');
        try {
            bytes.reset();
            bytes.writeBytes(header);
            out = EncoderFactory.get().directBinaryEncoder(bytes, out);
            out.writeString(person.substring(0, colon));
            out.writeString(rule.id());
            out.writeString(person.substring(colon + 1));
            out.writeEnum(change);
            out.writeLong(at);
            out.writeIndex(messageId == null ? 0 : 1); // cause_message_id
            if (messageId != null) out.writeString(messageId);
            out.writeLong(rule.version());
            out.writeIndex(1); // cause
            out.writeString(messageId == null ? "time" : "call");
            return bytes.toByteArray();
        } catch (IOException e) { throw new UncheckedIOException(e); }
    }
}
