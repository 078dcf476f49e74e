/** Errors of these kinds repeat in their messages what they were given: values of an index, texts that are no JSON. */
const REPEATING = /^(Mongo|BSON|Syntax|Cast|Valid|Strict|Document|Version|Overwrite|Parallel)/;

/**
 * What a log says of an error: its stack, and none of its fields, which may hold what people wrote; nor its message when that may hold it,
 * but then its code.
 */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeof error;
  const { name, stack, message, code } = error as NodeJS.ErrnoException;
  if (!REPEATING.test(name)) return stack ?? message;
  const frames = (stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  return [`${name}${code === undefined ? '' : ` (${code})`}`, ...frames].join('\n');
}
