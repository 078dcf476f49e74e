import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import { Types, type Connection } from 'mongoose';
import type { Party } from '../contract/identity.js';

/** What the application's own collections say of a person; every field may be missing. */
export interface StoredProfile {
  name?: unknown;
  avatar?: unknown;
  /** The login that counts; tokens of another one are refused. */
  activeSessionId?: string;
}

const HEX_OBJECT_ID = /^[0-9a-f]{24}$/i;

/** Reads the collections `users` and `astrologers`, which belong to the application that uses Samvad and need not exist. */
@Injectable()
export class ProfileRepository {
  constructor(@InjectConnection() private readonly connection: Connection) {}

  /** One read by primary key; null when nobody is stored under that id. */
  async find({ id, type }: Party): Promise<StoredProfile | null> {
    if (type === 'admin') return null;
    const keys: unknown[] = HEX_OBJECT_ID.test(id) ? [new Types.ObjectId(id), id] : [id];
    const found = await this.connection
      .collection(type === 'astrologer' ? 'astrologers' : 'users')
      .findOne({ _id: { $in: keys } } as object, { projection: PROFILE_FIELDS });
    if (found === null) return null;
    const session = (found.activeSession as { sessionId?: string | Types.ObjectId | null } | null | undefined)
      ?.sessionId;
    return {
      name: found.name,
      avatar: found.profilePicture ?? found.avatar,
      activeSessionId: session?.toString(),
    };
  }
}

const PROFILE_FIELDS = { name: 1, profilePicture: 1, avatar: 1, 'activeSession.sessionId': 1 };
