import type { Doc, Value } from '../bson/values.js';
import type { TextOrder } from '../query/collation.js';
import type { Scope } from './scope.js';

/** What stages that read other collections or know the time need. */
export interface PipelineEnvironment {
  find(collection: string, filter: Doc): Iterable<Doc>;
  readonly now: Date;
  /** The values of the command's `let`, already evaluated. */
  readonly variables?: Doc;
  readonly text?: TextOrder;
  /** What a stage that holds documents may take, in bytes; without it MongoDB's 100 MB. */
  readonly memoryLimit?: number;
}

/** Compiles further stages, for `$lookup`, `$facet` and `$unionWith`, with variables in addition to the environment's. */
export type CompileStages = (stages: readonly Value[], extra?: Doc) => RunStage;

export interface StageContext {
  readonly environment: PipelineEnvironment;
  readonly variableNames: readonly string[];
  scope(doc: Doc): Scope;
  readonly compileStages: CompileStages;
  /** Names of the stages that this one is within. */
  readonly within: readonly string[];
  /** So many of the first documents that come out of this stage are looked at; Infinity: all. */
  readonly wanted: number;
}

/** Takes documents as they are asked for. */
export type RunStage = (source: Iterable<Doc>) => Iterable<Doc>;
export type StageParser = (spec: Value, context: StageContext) => RunStage;
