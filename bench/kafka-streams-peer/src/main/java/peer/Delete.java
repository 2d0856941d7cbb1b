package peer;

import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;

/** Deletes the topics whose names start with --prefix: ten million events are some gigabytes a topic. */
final class Delete {
    static void run(Args a) throws Exception {
        String prefix = a.get("prefix");
        Properties p = new Properties();
        p.put("bootstrap.servers", a.brokers());
        try (Admin admin = Admin.create(p)) {
            List<String> topics = admin.listTopics().names().get().stream().filter(t -> t.startsWith(prefix)).toList();
            admin.deleteTopics(topics).all().get();
            System.out.printf("deleted %d topics%n", topics.size());
        }
    }
}
