import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What Firebase hands out as a service account's key; only these fields matter. */
export interface ServiceAccount {
  projectId: string;
  clientEmail: string;
  privateKey: string;
}

/** Reads a service account from its JSON, or from the file of that path; undefined when it is neither. */
export function readServiceAccount(pathOrJson: string): ServiceAccount | undefined {
  try {
    const json = pathOrJson.trimStart().startsWith('{') ? pathOrJson : readFileSync(pathOrJson, 'utf8');
    const {
      project_id: projectId,
      client_email: clientEmail,
      private_key: privateKey,
    } = JSON.parse(json) as Record<string, unknown>;
    if (typeof projectId !== 'string' || typeof clientEmail !== 'string' || typeof privateKey !== 'string')
      return undefined;
    createPrivateKey(privateKey);
    return { projectId, clientEmail, privateKey };
  } catch {
    // The errors of these parsers repeat what they were given.
    return undefined;
  }
}
