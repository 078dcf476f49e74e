import type { Person } from './person.js';
import { title } from './print.js';

/** What protects people from each other: blocking, and reports to the admins. */
export async function demoSafety(asha: Person, ravi: Person, admin: Person): Promise<void> {
  await block(asha, ravi);
  await report(asha, ravi, admin);
}

async function block(asha: Person, ravi: Person): Promise<void> {
  title('Blocked, and unblocked');
  const blocked = { userId: asha.id, userType: asha.type };
  const message = { ...ravi.asRecipient(), content: 'Please answer!' };
  await ravi.say('dm:block', blocked);
  await asha.isRefused('dm:send_message', message, 'FORBIDDEN');
  await ravi.say('dm:unblock', blocked);
  const { id } = await asha.say('dm:send_message', message);
  await ravi.expectMessage(id);
}

async function report(asha: Person, ravi: Person, admin: Person): Promise<void> {
  title('A report to the admins');
  const { id: messageId } = await ravi.say('dm:send_message', {
    ...asha.asRecipient(),
    content: 'Send me your bank account.',
  });
  await asha.expectMessage(messageId);
  await asha.say('dm:report', { messageId, reason: 'asks for my bank account' });
  await admin.expect(['dm:report_created'], (payload) => payload.messageId === messageId);
}
