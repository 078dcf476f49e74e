import {
  BROKEN_MESSAGES,
  CONVERSATION_FAULTS,
  type Counts,
  MESSAGE_FAULTS,
  type MigrationReport,
} from './faults.js';

/** Whether there is, or was, anything to do. */
export function isDone({ messages, conversations }: MigrationReport): boolean {
  return messages.numbered === 0 && conversations.migrated === 0 && Object.keys(messages.faults).length === 0;
}

/** The report as lines for a person. */
export function describeReport(report: MigrationReport): string {
  const { isApplied, messages, conversations } = report;
  const lines: string[] = [];
  if (isDone(report)) lines.push(isApplied ? 'Nothing to do: nothing was changed.' : 'Nothing to do.');
  else {
    lines.push(
      isApplied ? 'Migrated:' : 'To do (this was a dry run, nothing was changed):',
      line(messages.numbered, 'messages get their places'),
      ...countLines(messages.faults, MESSAGE_FAULTS, '  of which '),
      line(conversations.migrated, 'conversations'),
      ...countLines(conversations.faults, CONVERSATION_FAULTS, '  of which '),
    );
  }
  const broken = countLines(messages.broken, BROKEN_MESSAGES, 'messages: ');
  if (conversations.broken > 0)
    broken.push(line(conversations.broken, 'conversations: the two participants cannot be found out'));
  if (broken.length > 0) lines.push('Left as they are, because they cannot be made usable:', ...broken);
  if (!isApplied && !isDone(report)) lines.push('Make a backup, then: npm run migrate -- --apply');
  return lines.join('\n');
}

function countLines<K extends string>(counts: Counts<K>, texts: Record<K, string>, prefix: string): string[] {
  return (Object.keys(texts) as K[]).flatMap((key) => {
    const number = counts[key] ?? 0;
    return number > 0 ? [line(number, `${prefix}${texts[key]}`)] : [];
  });
}

function line(number: number, text: string): string {
  return `${number.toLocaleString('en').padStart(12)} ${text}`;
}
