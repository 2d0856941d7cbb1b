package peer;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What a person has done that segments count, and which they are in: of each rule the latest times, as many as it asks for,
 * since "at least n within W" holds while the n-th latest is less than W old. Rules of which there is nothing take no room.
 * Bytes: i64 time of the person's timer | for each rule: u16 its number, u8 whether they are in it, u8 n, n times i64.
 */
final class Counters {
    static final long NEVER = Long.MAX_VALUE;
    private static final int HEAD = 8, EACH_HEAD = 4;

    static final class Counter {
        final SegmentRule rule;
        boolean isMember;
        private final long[] latest; // latest first
        private int n;

        private Counter(SegmentRule rule) { this.rule = rule; latest = new long[rule.atLeast()]; }

        /** @return whether it says something new. */
        boolean add(long time, long now) {
            if (time <= now - rule.withinMs()) return false; // no window that is still to come has it
            int at = 0;
            while (at < n && latest[at] >= time) at++;
            if (at == latest.length) return false;
            if (n < latest.length) n++;
            System.arraycopy(latest, at, latest, at + 1, n - at - 1);
            latest[at] = time;
            return true;
        }
        boolean holds(long now) { return n == latest.length && latest[n - 1] > now - rule.withinMs(); }
        /** When the person leaves if nothing more happens. */
        long endsAt() { return isMember ? latest[n - 1] + rule.withinMs() : NEVER; }
        private void forget(long now) { while (n > 0 && latest[n - 1] <= now - rule.withinMs()) n--; }
    }

    interface Leaving { void left(SegmentRule rule, long at); }

    /** When the timer that stands for the person is due; NEVER: none stands. */
    long timerAt = NEVER;
    private Counter[] all = new Counter[4];
    private int size;

    static Counters read(byte[] bytes, SegmentRule[] rules) {
        Counters found = new Counters();
        if (bytes == null) return found;
        ByteBuffer in = ByteBuffer.wrap(bytes);
        found.timerAt = in.getLong();
        while (in.hasRemaining()) {
            Counter counter = found.add(rules[in.getShort() & 0xffff]);
            counter.isMember = in.get() != 0;
            counter.n = in.get();
            for (int i = 0; i < counter.n; i++) counter.latest[i] = in.getLong();
        }
        return found;
    }

    /** @return null: there is nothing to keep. */
    byte[] bytes(long now) {
        int length = HEAD;
        for (int i = 0; i < size; i++) {
            if (!all[i].isMember) all[i].forget(now);
            if (all[i].n > 0) length += EACH_HEAD + 8 * all[i].n;
        }
        if (length == HEAD && timerAt == NEVER) return null;
        ByteBuffer out = ByteBuffer.allocate(length).putLong(timerAt);
        for (int i = 0; i < size; i++) {
            Counter c = all[i];
            if (c.n == 0) continue;
            out.putShort((short) c.rule.number()).put((byte) (c.isMember ? 1 : 0)).put((byte) c.n);
            for (int k = 0; k < c.n; k++) out.putLong(c.latest[k]);
        }
        return out.array();
    }

    Counter of(SegmentRule rule) {
        for (int i = 0; i < size; i++) if (all[i].rule == rule) return all[i];
        return add(rule);
    }

    /** Whoever leaves by time alone until then, each at their own moment and in this order. */
    void pass(long now, Leaving told) {
        for (;;) {
            Counter first = null;
            for (int i = 0; i < size; i++) if (first == null || all[i].endsAt() < first.endsAt()) first = all[i];
            if (first == null || first.endsAt() > now) return;
            told.left(first.rule, first.endsAt());
            first.isMember = false;
        }
    }

    long endsAt() {
        long first = NEVER;
        for (int i = 0; i < size; i++) first = Math.min(first, all[i].endsAt());
        return first;
    }

    private Counter add(SegmentRule rule) {
        if (size == all.length) all = Arrays.copyOf(all, 2 * size);
        return all[size++] = new Counter(rule);
    }
}
