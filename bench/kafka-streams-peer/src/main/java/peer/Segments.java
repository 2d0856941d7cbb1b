package peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.util.Utf8;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The trigger's counting segments as a Kafka Streams application: events.merged in, segments.changed out. A person's counters
 * are one value. One timer at most stands for a person, at or before the first moment at which they leave something; it is
 * not moved when an event makes that later, but finds so when it is due. Timers run as stream time passes them, and what is
 * due before an event happens before it.
 */
final class Segments implements Processor<byte[], byte[], byte[], byte[]> {
    private static final JsonFactory JSON = new JsonFactory();
    private static final byte[] NOTHING = {};

    /** Rules by the event that they ask for, and the properties of it that they ask for. */
    private record Watched(SegmentRule[] rules, String[] properties) {}

    private final SegmentRule[] rules;
    private final Map<Utf8, Watched> watched = new HashMap<>();
    private final SegmentChange changes;
    private final Duration every;
    private final MergedEvent event = new MergedEvent();
    private ProcessorContext<byte[], byte[]> ctx;
    private KeyValueStore<Bytes, byte[]> people; // by the record's key: Counters
    private KeyValueStore<Bytes, byte[]> timers; // by time (i64) and key: nothing
    private long firedTo;

    Segments(List<SegmentRule> rules, int schemaId, Duration every) {
        this.rules = rules.toArray(SegmentRule[]::new);
        this.every = every;
        changes = new SegmentChange(schemaId);
        for (SegmentRule rule : rules) watched.computeIfAbsent(new Utf8(rule.event()), name -> {
            SegmentRule[] asking = rules.stream().filter(r -> r.event().equals(rule.event())).toArray(SegmentRule[]::new);
            return new Watched(asking, Arrays.stream(asking).map(SegmentRule::property).distinct().toArray(String[]::new));
        });
    }

    public void init(ProcessorContext<byte[], byte[]> c) {
        ctx = c;
        people = c.getStateStore("people");
        timers = c.getStateStore("timers");
        c.schedule(every, PunctuationType.STREAM_TIME, this::fire);
    }

    public void process(Record<byte[], byte[]> r) {
        App.sawRecord();
        if (!event.read(r.value())) return;
        Watched asked = watched.get(event.name());
        if (asked == null) return;
        double[] values = valuesOf(asked.properties);
        long now = event.mergedAt();
        Bytes key = Bytes.wrap(r.key());
        Counters person = null;
        boolean isNew = false;
        for (SegmentRule rule : asked.rules) {
            if (!(values[indexOf(asked.properties, rule.property())] > rule.above())) continue;
            if (person == null) {
                person = Counters.read(people.get(key), rules);
                isNew = pass(r.key(), person, now);
            }
            Counters.Counter counter = person.of(rule);
            if (!counter.add(event.happenedAt(), now)) continue;
            isNew = true;
            if (counter.isMember || !counter.holds(now)) continue;
            counter.isMember = true;
            ctx.forward(new Record<>(r.key(), changes.encode(r.key(), rule, SegmentChange.ENTERED, now, event.messageId()), now));
        }
        if (isNew) keep(key, person, now);
    }

    /** The timers that are due. What was due earlier has left a tombstone, so it begins where the last time ended. */
    private void fire(long now) {
        List<Bytes> due = new ArrayList<>();
        try (var it = timers.range(timerKey(firedTo, NOTHING), timerKey(now + 1, NOTHING))) {
            while (it.hasNext()) due.add(it.next().key);
        }
        for (Bytes timer : due) {
            byte[] personKey = Arrays.copyOfRange(timer.get(), 8, timer.get().length);
            timers.delete(timer);
            Bytes key = Bytes.wrap(personKey);
            Counters person = Counters.read(people.get(key), rules);
            person.timerAt = Counters.NEVER;
            pass(personKey, person, now);
            keep(key, person, now);
        }
        firedTo = now;
    }

    /** @return whether anybody left. */
    private boolean pass(byte[] key, Counters person, long now) {
        if (person.endsAt() > now) return false;
        person.pass(now, (rule, at) ->
            ctx.forward(new Record<>(key, changes.encode(key, rule, SegmentChange.LEFT, at, null), at)));
        return true;
    }

    private void keep(Bytes key, Counters person, long now) {
        long endsAt = person.endsAt();
        if (endsAt < person.timerAt) {
            if (person.timerAt != Counters.NEVER) timers.delete(timerKey(person.timerAt, key.get()));
            person.timerAt = Math.max(endsAt, firedTo + 1); // of a record that comes when stream time is past it
            timers.put(timerKey(person.timerAt, key.get()), NOTHING);
        }
        people.put(key, person.bytes(now));
    }

    /** NaN: it is not there, or no number. */
    private double[] valuesOf(String[] properties) {
        double[] values = new double[properties.length];
        Arrays.fill(values, Double.NaN);
        Utf8 json = event.properties();
        if (json == null) return values;
        try (JsonParser in = JSON.createParser(json.getBytes(), 0, json.getByteLength())) {
            if (in.nextToken() != JsonToken.START_OBJECT) return values;
            for (String name; (name = in.nextFieldName()) != null; ) {
                JsonToken value = in.nextToken();
                int at = indexOf(properties, name);
                if (at >= 0) values[at] = value.isNumeric() ? in.getDoubleValue() : Double.NaN;
                else in.skipChildren();
            }
            return values;
        } catch (IOException e) { throw new UncheckedIOException(e); }
    }

    private static int indexOf(String[] names, String name) {
        for (int i = 0; i < names.length; i++) if (names[i].equals(name)) return i;
        return -1;
    }

    private static Bytes timerKey(long at, byte[] personKey) {
        return Bytes.wrap(ByteBuffer.allocate(8 + personKey.length).putLong(at).put(personKey).array());
    }

    /** Stream time is that of events.merged. */
    public static final class MergedTime implements TimestampExtractor {
        private final MergedEvent event = new MergedEvent();
        public long extract(ConsumerRecord<Object, Object> r, long partitionTime) {
            event.readHead((byte[]) r.value());
            return event.mergedAt();
        }
    }

    /** --rules FILE, --schema ID of what it writes, --every MS of stream time between looks at timers, --caching on|off. */
    static Topology topology(Args a) throws IOException {
        List<SegmentRule> rules = SegmentRule.read(a.get("rules"));
        Duration every = Duration.ofMillis(a.num("every", 1_000));
        var people = Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("people"), Serdes.Bytes(), Serdes.ByteArray());
        if (a.get("caching", "on").equals("on")) people = people.withCachingEnabled();
        Topology t = new Topology();
        t.addSource(AutoOffsetReset.earliest(), "in", new MergedTime(), new ByteArrayDeserializer(), new ByteArrayDeserializer(), a.get("in"));
        int schemaId = a.num("schema", 0);
        t.addProcessor("work", () -> new Segments(rules, schemaId, every), "in");
        t.addStateStore(people, "work");
        t.addStateStore(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("timers"), Serdes.Bytes(), Serdes.ByteArray()), "work");
        t.addSink("out", a.get("out"), new ByteArraySerializer(), new ByteArraySerializer(), "work");
        return t;
    }
}
