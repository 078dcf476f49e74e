import { inspect } from 'node:util';

/** What stands in the place of a secret. */
export const HIDDEN = '[secret]';

/**
 * Keeps secret fields out of `inspect`, `console.log` and JSON, however deep the part stands in what is shown: they can only be read by
 * their names.
 * @returns the same part
 */
export function hide<T extends object>(part: T, ...secrets: (keyof T)[]): T {
  const show = (): object => {
    const given = secrets.filter((field) => part[field] !== undefined);
    return { ...part, ...Object.fromEntries(given.map((field) => [field, HIDDEN])) };
  };
  return Object.defineProperties(part, { [inspect.custom]: { value: show }, toJSON: { value: show } });
}
