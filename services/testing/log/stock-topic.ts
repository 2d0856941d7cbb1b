/** A topic made by the stock client, for suites that need one that schemas/topics.ts does not have. */
import type { Admin, ITopicConfig } from 'kafkajs';
import { eventually } from '../eventually.ts';

/**
 * Ends when every partition has a leader. The client's own wait ends with an error when the broker that it asks has not
 * heard of the topic yet.
 */
export async function createStockTopic(admin: Admin, topic: ITopicConfig): Promise<void> {
  await admin.createTopics({ topics: [topic], waitForLeaders: false });
  await eventually(async () => {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic.topic] });
      return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
    } catch {
      return false;
    }
  });
}
