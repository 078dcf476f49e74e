import type { OnModuleInit } from '@nestjs/common';
import type { LostNode, NodeRegistry } from '../nodes/node-registry.js';
import type { NotableMessage } from './last-message-notes.js';
import type { NotedConversations } from './last-messages.js';
import type { MessageRepository } from './message.repository.js';

/** Before its last sign of life a node had noted all but its newest messages; afterwards it made few. Milliseconds; clocks may differ. */
const MARGIN_MS = 60_000;
const CONVERSATIONS_PER_STEP = 100;

/**
 * What a node that was killed had stored and not noted yet is noted by those that live, or at the next start before the first client is
 * let in. One read over the messages of two minutes, then one read and one write for every hundred conversations among them.
 */
export class LastMessageRepair<M extends NotableMessage> implements OnModuleInit {
  constructor(
    private readonly nodes: NodeRegistry,
    private readonly messages: MessageRepository<M>,
    private readonly conversations: NotedConversations<M>,
  ) {}

  onModuleInit(): void {
    this.nodes.onNodeLost((node) => this.repair(node));
  }

  /** Idempotent: what is noted already is not noted again. */
  private async repair({ nodeId, aliveAt }: LostNode): Promise<void> {
    // A node that leaves in good order has noted everything itself.
    if (nodeId === this.nodes.nodeId) return;
    const from = new Date(aliveAt.getTime() - MARGIN_MS);
    const until = new Date(aliveAt.getTime() + MARGIN_MS);
    const touched = await this.messages.conversationsWithMessagesMade(from, until);
    for (let at = 0; at < touched.length; at += CONVERSATIONS_PER_STEP) {
      const step = touched.slice(at, at + CONVERSATIONS_PER_STEP);
      const newest = await this.messages.newestOfEach(
        step.map(({ conversationId, seq }) => ({ conversationId, fromSeq: seq })),
      );
      await this.conversations.note([...newest.values()]);
    }
  }
}
