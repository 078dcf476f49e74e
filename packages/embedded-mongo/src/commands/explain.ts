import os from 'node:os';
import { compilePipeline } from '../aggregate/pipeline.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { isOperatorDoc } from '../query/field.js';
import type { CollectionPlan, IndexPlan, Plan } from '../index/planner.js';
import type { Collection } from '../storage/collection.js';
import type { ReplyFields } from '../wire/reply.js';
import { parseCollation } from '../query/collation.js';
import { collectionName, docArgument, documentList, wrongType } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { Finder, type FindSpec } from './find-documents.js';
import { finderOf, hintArgument } from './find.js';

const NAMES = new Set(['find', 'count', 'distinct', 'aggregate', 'update', 'delete', 'findAndModify']);
const VERBOSITIES = new Set(['queryPlanner', 'executionStats', 'allPlansExecution']);

/** Which index a command would use, and, unless only the plan is asked for, what a find reads. */
export const explain: Command = {
  name: 'explain',
  kind: 'read',
  fields: ['verbosity'],
  run(request, context) {
    const explained = request.body.get('explain');
    if (!isDoc(explained)) throw wrongType('explain', 'explain', explained, 'object');
    const verbosity = request.body.get('verbosity') ?? 'allPlansExecution';
    if (typeof verbosity !== 'string' || !VERBOSITIES.has(verbosity)) {
      throw new MongoError(
        ErrorCode.BadValue,
        `Enumeration value for field 'explain.verbosity' is not a valid value.`,
      );
    }
    const [name = ''] = explained.keys();
    if (!NAMES.has(name)) {
      throw new MongoError(ErrorCode.CommandNotFound, `Explain failed due to unknown command: ${name}`);
    }
    const inner = { ...request, name, body: explained };
    const namespace = `${request.database}.${collectionName(inner)}`;
    const collection = context.catalog.collection(request.database, collectionName(inner));
    const finder = explainedFinder(inner, context);
    const executes = verbosity !== 'queryPlanner' && name === 'find';
    return {
      explainVersion: '1',
      queryPlanner: describePlanner(namespace, collection, finder),
      ...(executes && collection ? { executionStats: execute(collection, finder) } : {}),
      command: explained,
      serverInfo: { host: os.hostname(), port: context.port, version: '7.0.0', gitVersion: 'embedded-mongo' },
      ok: 1,
    };
  },
};

function explainedFinder(request: CommandRequest, context: CommandContext): Finder {
  return request.name === 'find' ? finderOf(request, context) : new Finder(context, explainedSpec(request));
}

function explainedSpec(request: CommandRequest): FindSpec {
  const { name, body, deadline } = request;
  switch (name) {
    case 'findAndModify':
      return { ...specOf(body, 'query', deadline), sort: docArgument(body, name, 'sort'), limit: 1 };
    case 'update':
    case 'delete': {
      const [first] = documentList(request, `${name}s`);
      return specOf(first?.doc ?? new Map<string, Value>(), 'q', deadline);
    }
    case 'aggregate':
      return {
        ...specOf(body, 'query', deadline),
        filter: leadingMatch(body),
      };
    default:
      return specOf(body, 'query', deadline);
  }
}

function specOf(body: Doc, field: string, deadline: FindSpec['deadline']): FindSpec {
  const filter = docArgument(body, 'explain', field) ?? new Map<string, Value>();
  return { filter, hint: hintArgument(body), deadline, text: parseCollation(body.get('collation')) };
}

function leadingMatch(body: Doc): Doc {
  const stages = body.get('pipeline');
  if (!Array.isArray(stages)) throw wrongType('aggregate', 'pipeline', stages, 'array');
  const pipeline = compilePipeline(stages, { find: () => [], now: new Date() });
  return pipeline.leadingMatch ?? new Map<string, Value>();
}

function describePlanner(namespace: string, collection: Collection | undefined, finder: Finder): ReplyFields {
  return {
    namespace,
    indexFilterSet: false,
    parsedQuery: finder.spec.filter,
    winningPlan: collection ? describeStages(finder, finder.plan(collection)) : { stage: 'EOF' },
    rejectedPlans: [],
  };
}

/** The stages from the outermost in. */
function describeStages({ spec }: Finder, plan: Plan): ReplyFields {
  let stage = describeScan(plan, spec);
  if (spec.sort && spec.sort.size > 0 && !plan.sorted) {
    stage = { stage: 'SORT', sortPattern: spec.sort, type: 'simple', inputStage: stage };
  }
  if (spec.skip) stage = { stage: 'SKIP', skipAmount: spec.skip, inputStage: stage };
  if (spec.limit) stage = { stage: 'LIMIT', limitAmount: spec.limit, inputStage: stage };
  if (spec.projection && spec.projection.size > 0) {
    stage = { stage: 'PROJECTION_DEFAULT', transformBy: spec.projection, inputStage: stage };
  }
  return stage;
}

function describeScan(plan: Plan, spec: FindSpec): ReplyFields {
  if (plan.kind === 'collection') return describeCollectionScan(plan, spec);
  if (plan.kind === 'index') return describeIndexScan(plan, spec);
  const inputStages = plan.branches.map((branch) => describeIndexScan(branch, spec));
  return { stage: 'OR', inputStages };
}

function describeIndexScan({ index, reverse, exact, ranges }: IndexPlan, { filter }: FindSpec): ReplyFields {
  const { key, name, unique, sparse, partial, fields } = index.definition;
  if (name === '_id_' && isIdLookup(filter)) return { stage: 'IDHACK' };
  const isMultiKeyField = (position: number) => (index.multikey & (1 << position)) !== 0;
  return {
    stage: 'FETCH',
    ...(exact ? {} : { filter }),
    inputStage: {
      stage: 'IXSCAN',
      keyPattern: key,
      indexName: name,
      isMultiKey: index.multikey !== 0,
      multiKeyPaths: new Map(
        fields.map(({ path }, position) => [path, isMultiKeyField(position) ? [path] : []]),
      ),
      isUnique: unique,
      isSparse: sparse,
      isPartial: partial !== undefined,
      indexVersion: 2,
      direction: reverse ? 'backward' : 'forward',
      ranges: ranges.length,
    },
  };
}

/** Whether a filter asks for one document by its `_id` and nothing else. */
function isIdLookup(filter: Doc): boolean {
  const id = filter.get('_id');
  const operand = isOperatorDoc(id) && id.size === 1 ? id.get('$eq') : id;
  return filter.size === 1 && operand !== undefined && !isOperatorDoc(operand) && !Array.isArray(operand);
}

function describeCollectionScan({ reverse, exact }: CollectionPlan, { filter }: FindSpec): ReplyFields {
  return { stage: 'COLLSCAN', ...(exact ? {} : { filter }), direction: reverse ? 'backward' : 'forward' };
}

function execute(collection: Collection, finder: Finder): ReplyFields {
  const startedAt = performance.now();
  let nReturned = 0;
  for (const _ of finder.matches(collection)) nReturned++;
  const { keysExamined, docsExamined } = finder.stats;
  return {
    executionSuccess: true,
    nReturned,
    executionTimeMillis: Math.round(performance.now() - startedAt),
    totalKeysExamined: keysExamined,
    totalDocsExamined: docsExamined,
  };
}
