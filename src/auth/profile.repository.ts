import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import { Types, type Connection } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { Gathering } from '../gathering/gathering.js';

/** What the application's own collections say of a person; every field may be missing. */
export interface StoredProfile {
  name?: unknown;
  avatar?: unknown;
  /** The login that counts; tokens of another one are refused. */
  activeSessionId?: string;
}

const HEX_OBJECT_ID = /^[0-9a-f]{24}$/i;

type Collection = 'users' | 'astrologers';

/** Those who come within this time share a read. Milliseconds. */
const GATHERING_MS = 10;

/** Reads the collections `users` and `astrologers`, which belong to the application that uses Samvad and need not exist. */
@Injectable()
export class ProfileRepository {
  private readonly reads: Record<Collection, Gathering<string, StoredProfile | null>>;

  constructor(@InjectConnection() private readonly connection: Connection) {
    const reads = (collection: Collection) =>
      new Gathering<string, StoredProfile | null>(GATHERING_MS, (ids) => this.findAll(collection, ids));
    this.reads = { users: reads('users'), astrologers: reads('astrologers') };
  }

  /**
   * As it is stored after the call; null when nobody is stored under that id. One read by primary key, shared with all who are looked for
   * within 10 ms.
   */
  async find({ id, type }: Party): Promise<StoredProfile | null> {
    if (type === 'admin') return null;
    return this.reads[type === 'astrologer' ? 'astrologers' : 'users'].run(id);
  }

  private async findAll(collection: Collection, ids: string[]): Promise<(StoredProfile | null)[]> {
    const found = await this.connection
      .collection(collection)
      .find({ _id: { $in: ids.flatMap(keysOf) } } as object, { projection: PROFILE_FIELDS })
      .toArray();
    const byKey = new Map(found.map((document) => [keyOf(document._id), profileOf(document)]));
    return ids.map((id) => {
      const keys = keysOf(id).map(keyOf);
      return keys.map((key) => byKey.get(key)).find((profile) => profile !== undefined) ?? null;
    });
  }
}

/** An application may use ObjectIds or texts as keys; of somebody who is stored under both, the ObjectId's document counts. */
function keysOf(id: string): (Types.ObjectId | string)[] {
  return HEX_OBJECT_ID.test(id) ? [new Types.ObjectId(id), id] : [id];
}

/** An ObjectId and the text of it are two keys. */
function keyOf(key: unknown): string {
  return key instanceof Types.ObjectId ? `ObjectId ${key.toHexString()}` : `text ${String(key)}`;
}

function profileOf(document: Record<string, unknown>): StoredProfile {
  const active = document.activeSession as { sessionId?: string | Types.ObjectId | null } | null | undefined;
  return {
    name: document.name,
    avatar: document.profilePicture ?? document.avatar,
    activeSessionId: active?.sessionId?.toString(),
  };
}

const PROFILE_FIELDS = { name: 1, profilePicture: 1, avatar: 1, 'activeSession.sessionId': 1 };
