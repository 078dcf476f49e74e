import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const PAGE_SIZE = 4096;
const META_PAGES = 2;
/** Where LMDB's meta page, behind the page's header of 24 bytes, has what is looked at here. */
const MAGIC_AT = 24;
const LAST_PAGE_AT = MAGIC_AT + 15 * 8;
const TRANSACTION_AT = MAGIC_AT + 16 * 8;
const MAGIC = 0xbeefc0de;

/** The folder holds a file that is not a whole database. */
export class FolderUnusableError extends Error {
  override readonly name = 'FolderUnusableError';
  readonly code = 'FOLDER_UNUSABLE';
}

/**
 * LMDB maps its file into memory without looking at it: one that is foreign or cut short would end the process without a word.
 * Throws FolderUnusableError.
 */
export function assertDataFile(dir: string): void {
  const path = join(dir, 'data.mdb');
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    // A process that was killed at its very start leaves an empty file.
    if (size === 0) return;
    const metas = Buffer.alloc(META_PAGES * PAGE_SIZE);
    const read = readSync(file, metas, 0, metas.length, 0);
    const isDatabase = read === metas.length && metas.readUInt32LE(MAGIC_AT) === MAGIC;
    if (!isDatabase) throw new FolderUnusableError(`${path} is not a database of this server`);
    if (size < (newestLastPage(metas) + 1) * PAGE_SIZE) throw new FolderUnusableError(`${path} is cut short`);
  } finally {
    closeSync(file);
  }
}

/** Of the two meta pages the one with the later transaction counts. */
function newestLastPage(metas: Buffer): number {
  const pages = [0, PAGE_SIZE].map((start) => ({
    transaction: metas.readBigUInt64LE(start + TRANSACTION_AT),
    lastPage: Number(metas.readBigUInt64LE(start + LAST_PAGE_AT)),
  }));
  const [first = { transaction: 0n, lastPage: 0 }, second = first] = pages;
  return first.transaction >= second.transaction ? first.lastPage : second.lastPage;
}
