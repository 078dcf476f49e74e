import { shorten } from '../../src/push/push-data.js';

describe('the beginning of a message', () => {
  it.each([
    ['short', 'Namaste', 'Namaste'],
    ['just fitting', 'x'.repeat(100), 'x'.repeat(100)],
    ['too long', 'x'.repeat(101), 'x'.repeat(100)],
    ['of emoji', '😀'.repeat(60), '😀'.repeat(50)],
    ['of emoji behind a letter', `x${'😀'.repeat(60)}`, `x${'😀'.repeat(49)}`],
    ['of letters with marks', 'नि'.repeat(60), 'नि'.repeat(50)],
    ['of flags', `x${'🇮🇳'.repeat(40)}`, `x${'🇮🇳'.repeat(24)}`],
    ['of one endless character', `e${'\u0301'.repeat(300)}`, `e${'\u0301'.repeat(99)}`],
    ['of one endless emoji', '👩\u200D'.repeat(100), '👩\u200D'.repeat(33)],
  ])('is well-formed and at most 100 long when the text is %s', (_, text, beginning) => {
    const short = shorten(text, 100);
    expect(short).toBe(beginning);
    expect(short.length).toBeLessThanOrEqual(100);
    expect(short.isWellFormed()).toBe(true);
  });
});
