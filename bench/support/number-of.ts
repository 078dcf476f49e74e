/** The value of an option. @throws when it is no number above 0 */
export function numberOf(name: string, text: string | undefined, preset: number): number {
  const value = Number(text ?? preset);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`);
  return value;
}
