/** MongoDB's codes for what can be wrong with an operand that has named fields. */
export interface ArgumentCodes {
  readonly notAnObject: number;
  readonly unknown: number;
  /** One code for every missing field, or one for each. */
  readonly missing: number | Readonly<Record<string, number>>;
}

export const FILTER: ArgumentCodes = {
  notAnObject: 28646,
  unknown: 28647,
  missing: { input: 28648, cond: 28650 },
};
export const MAP: ArgumentCodes = {
  notAnObject: 16878,
  unknown: 16879,
  missing: { input: 16880, in: 16882 },
};
export const REDUCE: ArgumentCodes = {
  notAnObject: 40075,
  unknown: 40076,
  missing: { input: 40077, initialValue: 40078, in: 40079 },
};
export const LET: ArgumentCodes = { notAnObject: 16874, unknown: 16875, missing: { vars: 16876, in: 16877 } };
export const SWITCH_BRANCH: ArgumentCodes = {
  notAnObject: 40062,
  unknown: 40063,
  // As an object literal it would be a thenable.
  missing: Object.fromEntries(
    new Map([
      ['case', 40064],
      ['then', 40065],
    ]),
  ),
};
export const TRIM: ArgumentCodes = { notAnObject: 50696, unknown: 50694, missing: 50695 };
export const DATE_TO_STRING: ArgumentCodes = { notAnObject: 18629, unknown: 18534, missing: 18628 };
export const DATE_FROM_STRING: ArgumentCodes = { notAnObject: 40540, unknown: 40541, missing: 40542 };
export const REPLACE: ArgumentCodes = {
  notAnObject: 51751,
  unknown: 51750,
  missing: { input: 51749, find: 51748, replacement: 51747 },
};
export const REGEX: ArgumentCodes = {
  notAnObject: 51103,
  unknown: 31024,
  missing: { input: 31022, regex: 31023 },
};
export const SORT_ARRAY: ArgumentCodes = {
  notAnObject: 2942500,
  unknown: 2942501,
  missing: { input: 2942502, sortBy: 2942503 },
};
export const DATE_ADD: ArgumentCodes = { notAnObject: 5166400, unknown: 5166401, missing: 5166402 };
export const DATE_DIFF: ArgumentCodes = {
  notAnObject: 5166301,
  unknown: 5166302,
  missing: { startDate: 5166303, endDate: 5166304, unit: 5166305 },
};
export const DATE_TRUNC: ArgumentCodes = {
  notAnObject: 5439007,
  unknown: 5439008,
  missing: { date: 5439009, unit: 5439010 },
};
