import { Injectable } from '@nestjs/common';
import { type Party, partyKey, partyOfKey } from '../contract/identity.js';
import { Gathering } from '../gathering/gathering.js';
import { PresenceService } from '../presence/presence.service.js';
import type { PresenceChange } from '../presence/presence-tracker.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { personalRoom } from '../realtime/rooms.js';
import { ChatRoomRepository } from './chat-room.repository.js';

/** In a larger room nobody follows who comes and goes. */
const MAX_MEMBERS = 50;
/** Of somebody's rooms, those that were written in last. */
const MAX_ROOMS = 50;
/** Those who come and go within this time share a read. Milliseconds. */
const GATHERING_MS = 20;

/**
 * Tells those who share a room with somebody that they came or went (contract §6): of their 50 rooms of up to 50 members that were written in
 * last. On one node of all: one read by index, shared with all who come or go within 20 ms, in a crowd 80 ms; one broadcast to at most 2,450
 * people.
 */
@Injectable()
export class ChatPresenceService {
  private readonly companions = new Gathering<Party, Set<string>>(
    GATHERING_MS,
    (people) => this.rooms.companionsOfAll(people, MAX_MEMBERS, MAX_ROOMS),
    true,
  );

  constructor(
    private readonly emitter: EmitterService,
    private readonly rooms: ChatRoomRepository,
    presence: PresenceService,
  ) {
    presence.onChange((change) => this.tell(change));
  }

  private async tell({ person, isOnline, lastSeen }: PresenceChange): Promise<void> {
    const companions = await this.companions.run(person);
    companions.delete(partyKey(person));
    if (companions.size === 0) return;
    this.emitter.toRooms(
      [...companions].map((key) => personalRoom(partyOfKey(key))),
      isOnline ? 'chat:online' : 'chat:offline',
      { userId: person.id, userType: person.type, lastSeen: lastSeen.toISOString() },
    );
  }
}
