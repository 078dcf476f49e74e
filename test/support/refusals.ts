import type { TestClient } from './client.js';
import { MISSING_ID, refusal } from './direct-chat.js';

/** Any refusal without details. */
export const refused = (code: string) => ({
  code,
  message: expect.any(String) as string,
  retryable: false,
});

/** What is no id of anything. */
export const WRONG_IDS: unknown[] = [
  undefined,
  null,
  '',
  'x',
  42,
  true,
  `${MISSING_ID}f`,
  { $ne: null },
  [MISSING_ID],
];

/** Fails unless the payload is refused for this one field, with and without an acknowledgement. */
export async function expectBadField(
  client: TestClient,
  event: string,
  payload: object,
  field: string,
): Promise<void> {
  expect(await refusal(client, event, payload)).toEqual({
    ...refused('BAD_REQUEST'),
    details: [{ field, message: expect.any(String) as string }],
  });
}
