import { newSeed, Random, randomScalar, randomValue } from '../support/random.js';
import { startTestServer, type Collection, type TestServer } from '../support/server.js';

const DOCUMENTS = 150;
const ROUNDS = 8;
const QUERIES = 200;
const PATHS = ['a', 'b', 'c', 'a.x', 'd.x', 'd.y', 'a.0', 'd.0.x'];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

type Filter = Record<string, unknown>;

function randomDocument(random: Random, index: number): Filter {
  const doc: Filter = { _id: index };
  for (const name of ['a', 'b', 'c']) if (random.chance(0.85)) doc[name] = randomValue(random);
  if (random.chance(0.6)) {
    const nested = () => ({
      x: randomScalar(random),
      ...(random.chance(0.5) ? { y: randomScalar(random) } : {}),
    });
    doc['d'] = random.chance(0.4) ? Array.from({ length: random.below(3) }, nested) : nested();
  }
  return doc;
}

function randomCondition(random: Random): unknown {
  switch (random.below(9)) {
    case 0:
    case 1:
      return randomValue(random, 1);
    case 2:
      return { $in: Array.from({ length: 1 + random.below(3) }, () => randomScalar(random)) };
    case 3:
      return { $exists: random.chance(0.5) };
    case 4: {
      const value = randomScalar(random);
      return { $gte: value, $lte: random.chance(0.5) ? value : randomScalar(random) };
    }
    case 5:
      return { $ne: randomScalar(random) };
    default:
      return { [random.pick(['$gt', '$gte', '$lt', '$lte', '$eq'])]: randomScalar(random) };
  }
}

function randomFilter(random: Random): Filter {
  const filter: Filter = {};
  const conditions = 1 + random.below(3);
  for (let count = 0; count < conditions; count++) filter[random.pick(PATHS)] = randomCondition(random);
  if (!random.chance(0.2)) return filter;
  const branch = { [random.pick(PATHS)]: randomCondition(random) };
  return { $or: [filter, branch], ...(random.chance(0.3) ? { c: randomCondition(random) } : {}) };
}

type Key = Record<string, 1 | -1>;

function randomKey(random: Random): Key {
  const key: Key = {};
  const fields = 1 + random.below(3);
  for (let count = 0; count < fields; count++) key[random.pick(PATHS)] = random.pick([1, -1] as const);
  if (random.chance(0.6)) key['_id'] = random.pick([1, -1] as const);
  return key;
}

/** Indexes that cannot be built over these documents (parallel arrays) are left out. */
async function createRandomIndexes(collection: Collection, random: Random): Promise<Key[]> {
  const keys: Key[] = [];
  for (let count = 0; count < 6; count++) {
    const sparse = random.chance(0.15);
    const partial = !sparse && random.chance(0.25);
    const options = {
      name: `i${count}`,
      ...(sparse ? { sparse } : {}),
      ...(partial ? { partialFilterExpression: { b: random.pick([{ $gt: 0 }, { $exists: true }]) } } : {}),
    };
    const key = randomKey(random);
    await collection.createIndex(key, options).then(
      () => keys.push(key),
      () => undefined,
    );
  }
  return keys;
}

/** Often one that an index can give, forwards or backwards; always one that leaves no two documents in a tie. */
function randomSort(random: Random, keys: readonly Key[]): Key {
  const base = keys.length > 0 && random.chance(0.7) ? random.pick(keys) : randomKey(random);
  const direction = random.pick([1, -1] as const);
  const sort = Object.entries(base)
    .slice(random.below(2))
    .map(([path, order]) => [path, order * direction]);
  return Object.fromEntries([...sort, ...('_id' in base ? [] : [['_id', 1]])]) as Key;
}

/** Ids, or the code of the refusal, which has to be the same whatever plan is used. */
async function ids(
  collection: Collection,
  filter: Filter,
  options: Record<string, unknown> = {},
): Promise<unknown[]> {
  try {
    const docs = await collection.find(filter, { projection: { _id: 1 }, ...options }).toArray();
    return docs.map((doc) => doc._id);
  } catch (error) {
    return [(error as { code?: unknown }).code];
  }
}

function inIdOrder(found: readonly unknown[]): string {
  return JSON.stringify(found.toSorted((a, b) => Number(a) - Number(b)));
}

describe('finds with indexes', () => {
  it('find what a scan of the collection finds, in the same order when sorted', async () => {
    const random = new Random(newSeed());
    const wrong: unknown[] = [];
    let indexed = 0;
    let sortedByIndex = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const collection = server.collection();
      const keys = await createRandomIndexes(collection, random);
      const docs = Array.from({ length: DOCUMENTS }, (_, index) => randomDocument(random, index));
      await collection.insertMany(docs, { ordered: false }).catch(() => undefined);
      await collection.deleteMany({ _id: { $mod: [7, 3] } as never });
      for (let query = 0; query < QUERIES; query++) {
        const filter = randomFilter(random);
        const sort = randomSort(random, keys);
        const scanned = await ids(collection, filter, { hint: { $natural: 1 } });
        const found = await ids(collection, filter);
        const sortedScan = await ids(collection, filter, { sort, hint: { $natural: 1 } });
        const sorted = await ids(collection, filter, { sort });
        if (query % 10 === 0) {
          const explained = collection.find(filter, { sort }).explain('queryPlanner');
          const plan = JSON.stringify(await explained.catch(() => 'refused'));
          if (plan.includes('IXSCAN')) indexed++;
          if (plan.includes('IXSCAN') && !plan.includes('"SORT"')) sortedByIndex++;
        }
        const same = inIdOrder(found) === inIdOrder(scanned);
        if (!same || JSON.stringify(sorted) !== JSON.stringify(sortedScan))
          wrong.push({ round, filter, sort, scanned, found, sortedScan, sorted });
      }
    }
    expect({ seed: random.seed, wrong }).toEqual({ seed: random.seed, wrong: [] });
    // The comparison is worth nothing when no index is used.
    expect(indexed).toBeGreaterThan(ROUNDS * 5);
    expect(sortedByIndex).toBeGreaterThan(ROUNDS);
  }, 120_000);
});
