import { Injectable } from '@nestjs/common';
import type { DirectConversationPayload, DirectConversationsPayload } from '../contract/direct-message.js';
import { type Identity, isSameParty, type Party, partyOf } from '../contract/identity.js';
import { pageOf, windowOf } from '../messaging/conversation-window.js';
import type { ConversationsDto } from '../messaging/conversations.dto.js';
import { markId } from '../messaging/mark.schema.js';
import { ReadMarks } from '../messaging/read-marks.js';
import type { OpenConversationDto } from './conversation.dto.js';
import { toConversationPayload } from './conversation.mapper.js';
import { ConversationService } from './conversation.service.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import type { DirectConversation } from './direct-conversation.schema.js';
import { DirectMarkRepository } from './direct-mark.repository.js';
import { DirectMessageRepository } from './direct-message.repository.js';
import type { DirectMessage } from './direct-message.schema.js';
import { LastMessageService } from './last-message.service.js';

/**
 * Conversations as their participants see them (contract §3). The newest message is read from the messages themselves, so `lastSeq` and
 * `unreadCount` are exact whatever is noted; only the order of a list follows the notes.
 *
 * Database waits: 2 for a page (the conversations; their newest messages and marks, side by side), whatever the number of conversations
 * and messages; 1 more when this node has not noted a message of the caller's yet. Opening: 2, one of them a write.
 */
@Injectable()
export class ConversationListService {
  private readonly reading: ReadMarks<DirectMessage>;

  constructor(
    private readonly access: ConversationService,
    private readonly lastMessages: LastMessageService,
    private readonly conversations: DirectConversationRepository,
    private readonly messages: DirectMessageRepository,
    private readonly marks: DirectMarkRepository,
  ) {
    this.reading = new ReadMarks(messages, marks);
  }

  /** @throws AppError FORBIDDEN for a pair that may not talk; UNAVAILABLE */
  async open(
    user: Identity,
    { recipientId, recipientType }: OpenConversationDto,
  ): Promise<DirectConversationPayload> {
    const conversation = await this.access.openWith(user, { id: recipientId, type: recipientType });
    const [view] = await this.viewsOf(partyOf(user), [conversation]);
    return view as DirectConversationPayload;
  }

  /** @throws AppError BAD_REQUEST for a cursor or a time that is none; UNAVAILABLE */
  async list(user: Identity, dto: ConversationsDto): Promise<DirectConversationsPayload> {
    const own = partyOf(user);
    const window = windowOf(dto);
    await this.lastMessages.settled(own);
    const { page, nextCursor } = pageOf(await this.conversations.page(own, window), window);
    return { conversations: await this.viewsOf(own, page), nextCursor };
  }

  /** One wait for all of them. */
  private async viewsOf(
    own: Party,
    conversations: DirectConversation[],
  ): Promise<DirectConversationPayload[]> {
    const markIds = conversations.flatMap(({ _id, participants }) =>
      participants.map((side) => markId(side, _id)),
    );
    const [newest, marks] = await Promise.all([
      this.messages.newestOfEach(
        conversations.map(({ _id, lastSeq }) => ({ conversationId: _id, fromSeq: lastSeq })),
      ),
      this.marks.findAll(markIds),
    ]);
    return Promise.all(
      conversations.map(async (conversation) => {
        const { _id, participants } = conversation;
        const peer = participants.find((side) => !isSameParty(side, own)) ?? own;
        const ownMark = marks.get(markId(own, _id));
        const message = newest.get(_id);
        return toConversationPayload({
          peer,
          conversation,
          newest: message,
          ownMark,
          peerMark: marks.get(markId(peer, _id)),
          unreadCount: await this.reading.unreadCount(own, message ?? null, ownMark?.readOthers ?? 0),
        });
      }),
    );
  }
}
