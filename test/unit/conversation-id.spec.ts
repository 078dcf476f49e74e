import type { Party, UserType } from '../../src/contract/identity.js';
import { canonicalConversationId, couldBeParticipant } from '../../src/messaging/conversation-id.js';

const party = (type: UserType, id: string): Party => ({ type, id });
const admin = party('admin', 'admin');

describe('canonicalConversationId', () => {
  it('is the same whoever asks', () => {
    expect(canonicalConversationId(party('user', 'u1'), party('astrologer', 'a1'))).toBe('user_u1_a1');
    expect(canonicalConversationId(party('astrologer', 'a1'), party('user', 'u1'))).toBe('user_u1_a1');
    expect(canonicalConversationId(admin, party('astrologer', 'a1'))).toBe('admin_a1');
    expect(canonicalConversationId(party('astrologer', 'a1'), admin)).toBe('admin_a1');
    expect(canonicalConversationId(party('user', 'u1'), admin)).toBe('admin_user_u1');
  });

  it('refuses pairs that may not talk', () => {
    for (const type of ['user', 'astrologer', 'admin'] as const) {
      expect(() => canonicalConversationId(party(type, 'x'), party(type, 'y'))).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN' }),
      );
    }
  });

  it('never gives two pairs the same id', () => {
    const ids = ['a', 'b', 'a_b', 'a_', '_b', 'user_a', 'a%5Fb', 'a%b', 'a%255Fb', '%', '_'];
    const made = new Set<string>();
    let pairs = 0;
    for (const id of ids) {
      for (const other of ids) {
        made.add(canonicalConversationId(party('user', id), party('astrologer', other)));
        pairs += 1;
      }
      made.add(canonicalConversationId(admin, party('astrologer', id)));
      made.add(canonicalConversationId(admin, party('user', id)));
      pairs += 2;
    }
    expect(made.size).toBe(pairs);
  });

  it('writes an underscore inside an id as %5F', () => {
    expect(canonicalConversationId(party('user', 'u_1'), party('astrologer', 'a_1'))).toBe(
      'user_u%5F1_a%5F1',
    );
  });
});

describe('couldBeParticipant', () => {
  it('holds for both parties of every canonical id, and for no one else', () => {
    const people = [
      party('user', 'a'),
      party('user', 'a_b'),
      party('astrologer', 'a'),
      party('astrologer', 'a_b'),
      party('user', 'b'),
    ];
    for (const first of people) {
      for (const second of [...people, admin]) {
        if (first.type === second.type) continue;
        const id = canonicalConversationId(first, second);
        for (const person of people)
          expect([id, person, couldBeParticipant(id, person)]).toEqual([
            id,
            person,
            person === first || person === second,
          ]);
        expect(couldBeParticipant(id, admin)).toBe(true);
      }
    }
  });

  it('is false for ids that no pair could have', () => {
    for (const id of [
      '',
      'user_',
      'user_a',
      'user_a_',
      'user__a',
      'user_a_b_c',
      'admin_',
      'x',
      'conversation:user_a_b',
      'user_a_b c',
    ]) {
      for (const person of [party('user', 'a'), party('astrologer', 'b'), admin])
        expect([id, couldBeParticipant(id, person)]).toEqual([id, false]);
    }
  });
});
