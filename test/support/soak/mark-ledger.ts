import { keyOf } from './people.js';
import type { Person } from '../token.js';

type Kind = 'read' | 'delivered';

/** How far marks were asked to go, and how far the server said that they are: the truth lies between. */
interface Entry {
  asked: number;
  acked: number;
}

/** What all devices of all people did with their marks. */
export class MarkLedger {
  private readonly entries = new Map<string, Entry>();

  asked(kind: Kind, person: Person, conversationId: string, seq: number): void {
    const entry = this.of(kind, person, conversationId);
    entry.asked = Math.max(entry.asked, seq);
  }

  acked(kind: Kind, person: Person, conversationId: string, seq: number): void {
    const entry = this.of(kind, person, conversationId);
    entry.acked = Math.max(entry.acked, seq);
  }

  of(kind: Kind, person: Person, conversationId: string): Entry {
    const key = `${kind} ${keyOf(person)} ${conversationId}`;
    let entry = this.entries.get(key);
    if (entry === undefined) this.entries.set(key, (entry = { asked: 0, acked: 0 }));
    return entry;
  }
}
