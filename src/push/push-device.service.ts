import { Injectable } from '@nestjs/common';
import { type Identity, type Party, partyKey, SHARED_ADMIN_ID } from '../contract/identity.js';
import type { PushDevicePayload } from '../contract/push.js';
import { PushDeviceRepository } from './push-device.repository.js';
import type { PushDevice } from './push-device.schema.js';
import type { RegisterDeviceDto } from './push.dto.js';

const MAX_DEVICES = 10;
/** The shared admin is many people. */
const MAX_ADMIN_DEVICES = 200;

/** Which devices get whose pushes. */
@Injectable()
export class PushDeviceService {
  constructor(private readonly devices: PushDeviceRepository) {}

  /**
   * Makes the device the caller's, whosever it was: a phone has one user at a time. Of more than 10 devices (200 of the admins) the
   * oldest registrations go. Two round trips; a third when some go.
   */
  async register(user: Identity, { token, platform }: RegisterDeviceDto): Promise<PushDevicePayload> {
    const party = partyKey(user);
    await this.devices.assign(token, party, platform);
    // Whoever writes last reads after all writes, so however many register at once, no more than the limit stay. If this
    // node dies here, what is too much stays until the next registration, and gets no pushes.
    const surplus = await this.devices.findBeyond(party, limitOf(party));
    if (surplus.length > 0) await this.devices.removeUnchanged(surplus);
    return { success: true };
  }

  /** The same answer for a token of one's own, of another and of nobody. One round trip. */
  async unregister(user: Identity, token: string): Promise<PushDevicePayload> {
    await this.devices.remove(token, partyKey(user));
    return { success: true };
  }

  /** The devices that a push to the party goes to. One round trip. */
  devicesOf(party: string): Promise<PushDevice[]> {
    return this.devices.findNewest(party, limitOf(party));
  }

  /** The same for several parties, by party. One round trip. */
  async devicesOfAll(parties: string[]): Promise<Map<string, PushDevice[]>> {
    const byParty = new Map<string, PushDevice[]>();
    for (const device of await this.devices.findAllNewest(parties)) {
      const found = byParty.get(device.party) ?? [];
      if (found.length < limitOf(device.party)) byParty.set(device.party, [...found, device]);
    }
    return byParty;
  }
}

const ADMINS = partyKey({ id: SHARED_ADMIN_ID, type: 'admin' } satisfies Party);

function limitOf(party: string): number {
  return party === ADMINS ? MAX_ADMIN_DEVICES : MAX_DEVICES;
}
