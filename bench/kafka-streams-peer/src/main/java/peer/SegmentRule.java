package peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A segment of one counting condition: so many events of a name whose property is above a number, within a time. */
record SegmentRule(int number, String id, long version, String event, String property, double above, int atLeast, long withinMs) {
    /** @param file a list of {id, version, body}, whose bodies are definitions as Hindsight takes them. */
    static List<SegmentRule> read(String file) throws IOException {
        List<SegmentRule> rules = new ArrayList<>();
        for (JsonNode each : new ObjectMapper().readTree(new File(file))) {
            JsonNode when = each.at("/body/when"), where = when.at("/where/0");
            if (when.size() != 4 || when.path("where").size() != 1 || !where.path("operator").asText().equals("gt") || when.path("count").size() != 1)
                throw new IllegalArgumentException("a condition that this job does not know: " + when);
            rules.add(new SegmentRule(rules.size(), each.get("id").asText(), each.get("version").asLong(), when.get("event").asText(),
                where.get("property").asText(), where.get("value").asDouble(), when.at("/count/at_least").asInt(),
                Duration.parse(when.get("within").asText()).toMillis()));
        }
        return rules;
    }
}
