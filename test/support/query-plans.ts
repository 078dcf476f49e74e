import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection, mongo } from 'mongoose';
import type { TestApp } from './app.js';

/** What the application asked of its database, as Mongoose logs it. */
export interface Query {
  collection: string;
  method: string;
  args: unknown[];
}

/** Of a write among several. */
interface Update {
  filter: object;
  update: object;
}

interface Plan {
  stage: string;
  inputStage?: Plan;
  inputStages?: Plan[];
}

interface Explained {
  queryPlanner: { winningPlan: Plan };
  executionStats?: { totalDocsExamined: number; totalKeysExamined: number; nReturned: number };
}

/** How a command is carried out. */
interface Finding {
  stages: string[];
  docs: number;
  keys: number;
  returned: number;
}

/** Everything that this node asks from now on; grows. */
export function recordQueries({ app }: Pick<TestApp, 'app'>): Query[] {
  const queries: Query[] = [];
  app
    .get<Connection>(getConnectionToken())
    .set('debug', (collection: string, method: string, ...args: unknown[]) => {
      queries.push({ collection, method, args });
    });
  return queries;
}

/** Asks the database for the plans of the query's commands; none for a query that has no plan. */
export async function findingsOf(
  node: Pick<TestApp, 'app'>,
  query: Query,
): Promise<{ command: object; finding: Finding }[]> {
  const findings: { command: object; finding: Finding }[] = [];
  for (const command of commandsOf(query))
    findings.push({ command, finding: await findingOf(node, command) });
  return findings;
}

export async function findingOf({ app }: Pick<TestApp, 'app'>, command: object): Promise<Finding> {
  const { db } = app.get<Connection>(getConnectionToken());
  const { queryPlanner, executionStats } = (await (db as mongo.Db).command({
    explain: command,
    verbosity: 'executionStats',
  })) as Explained;
  const { totalDocsExamined = 0, totalKeysExamined = 0, nReturned = 0 } = executionStats ?? {};
  return {
    stages: stagesOf(queryPlanner.winningPlan),
    docs: totalDocsExamined,
    keys: totalKeysExamined,
    returned: nReturned,
  };
}

/** An entry more for each end of a range, and one for each branch. */
export function isWasteful({ docs, keys, returned }: Finding): boolean {
  return Math.max(docs, keys) > 2 * returned + 20;
}

function commandsOf({ collection, method, args }: Query): Record<string, unknown>[] {
  const [first, second, third] = args as Record<string, unknown>[];
  switch (method) {
    case 'find':
      return [{ find: collection, filter: first, ...pick(second) }];
    case 'findOne':
      return [{ find: collection, filter: first, ...pick(second), limit: 1 }];
    case 'updateOne':
    case 'updateMany':
      return [{ update: collection, updates: [{ q: first, u: second }] }];
    case 'deleteOne':
    case 'deleteMany':
      return [{ delete: collection, deletes: [{ q: first, limit: 0 }] }];
    case 'findOneAndUpdate':
      return [{ findAndModify: collection, query: first, update: second, ...pick(third) }];
    case 'findOneAndDelete':
      return [{ findAndModify: collection, query: first, remove: true, ...pick(second) }];
    case 'aggregate':
      return [{ aggregate: collection, pipeline: first, cursor: {} }];
    case 'bulkWrite':
      return (first as unknown as { updateOne?: Update; updateMany?: Update }[]).flatMap(
        ({ updateOne, updateMany }) =>
          [updateOne, updateMany]
            .filter((write) => write !== undefined)
            .map(({ filter, update }) => ({ update: collection, updates: [{ q: filter, u: update }] })),
      );
    case 'countDocuments':
      return [{ count: collection, query: first }];
    default:
      return [];
  }
}

function pick({ sort, limit, skip }: Record<string, unknown> = {}): object {
  return {
    ...(sort !== undefined && { sort }),
    ...(limit !== undefined && { limit }),
    ...(skip !== undefined && { skip }),
  };
}

function stagesOf(plan: Plan): string[] {
  const below = [plan.inputStage, ...(plan.inputStages ?? [])].filter((input) => input !== undefined);
  return [plan.stage, ...below.flatMap(stagesOf)];
}
