const DAY_MS = 86_400_000;

/** All of these take a date whose UTC parts are the wall clock meant. */
export function startOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return start.getTime();
}

/** 1 to 366. */
export function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - startOfYear(date)) / DAY_MS) + 1;
}

/** 1 for Monday to 7 for Sunday. */
export function isoDayOfWeek(date: Date): number {
  return date.getUTCDay() === 0 ? 7 : date.getUTCDay();
}

/** 0 to 53; weeks begin on Sunday, and days before the first Sunday are in week 0. */
export function sundayWeek(date: Date): number {
  return Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7);
}

/** The Thursday of the date's week, which decides its ISO year and week. */
function thursday(date: Date): Date {
  return new Date(date.getTime() + (4 - isoDayOfWeek(date)) * DAY_MS);
}

export function isoWeek(date: Date): number {
  return Math.floor((dayOfYear(thursday(date)) - 1) / 7) + 1;
}

export function isoWeekYear(date: Date): number {
  return thursday(date).getUTCFullYear();
}
