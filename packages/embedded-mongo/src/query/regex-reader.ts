import { MongoError } from '../errors.js';

export function invalidRegex(reason: string): MongoError {
  return new MongoError(51091, `Regular expression is invalid: ${reason}`);
}

const CONTROL: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };

/** Reads a pattern by code points. */
export class PatternReader {
  /** Capturing groups opened so far. */
  groups = 0;
  private pos = 0;

  constructor(private readonly pattern: string) {}

  get done(): boolean {
    return this.pos >= this.pattern.length;
  }

  peek(char: string): boolean {
    return this.pattern.startsWith(char, this.pos);
  }

  eat(char: string): boolean {
    if (!this.peek(char)) return false;
    this.pos += char.length;
    return true;
  }

  next(): string {
    const code = this.pattern.codePointAt(this.pos);
    if (code === undefined) throw invalidRegex('the pattern ends too early');
    const char = String.fromCodePoint(code);
    this.pos += char.length;
    return char;
  }

  /** What an anchored expression of our own finds here; the reader moves behind it. */
  match(expression: RegExp): string | undefined {
    const found = expression.exec(this.pattern.slice(this.pos))?.[0];
    if (found !== undefined) this.pos += found.length;
    return found;
  }

  skipBlanksAndComments(): void {
    while (this.match(/^(?:[ \t-\r]+|#[^\n]*\n?)/) !== undefined);
  }

  /** The code point that an escape stands for, the backslash being already read. */
  escapedCode(): number {
    const hex = this.match(/^x\{[\da-fA-F]{1,6}\}/) ?? this.match(/^x[\da-fA-F]{0,2}/);
    if (hex !== undefined) return checkedCode(Number.parseInt(hex.replaceAll(/[x{}]/g, '') || '0', 16));
    const octal = this.match(/^0[0-7]{0,2}/) ?? this.match(/^o\{[0-7]{1,7}\}/);
    if (octal !== undefined) return checkedCode(Number.parseInt(octal.replaceAll(/[o{}]/g, ''), 8));
    const control = this.match(/^c[ -~]/);
    if (control !== undefined) return control.toUpperCase().charCodeAt(1) ^ 64;
    const char = this.next();
    const code = CONTROL[char];
    if (code !== undefined) return code;
    if (/[A-Za-z0-9]/.test(char)) throw invalidRegex('unrecognized character follows \\');
    return char.codePointAt(0) ?? 0;
  }
}

function checkedCode(code: number): number {
  if (code > 0x10ffff) throw invalidRegex('character code point value in \\x{} or \\o{} is too large');
  return code;
}
