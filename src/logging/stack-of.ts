/** What a log says of an error: its stack, and none of its fields, which may hold what people wrote. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
