import { display } from '../bson/display.js';
import { type Doc, typeName, type Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { parsePath, type Path } from '../path.js';
import { Application } from './apply.js';
import { ArrayFilters } from './array-filters.js';
import type { UpdateContext } from './leaf.js';
import { updateOperators } from './operators.js';
import { checkRenameSource, renameEntries } from './rename.js';
import { buildTree, type UpdateBranch, type UpdateEntry } from './tree.js';
import { checkedUpdatePath, checkStorable, isArrayFilterPart } from './update-path.js';

/** An update by operators, `{ $set: { a: 1 }, ... }`. */
export class Modification {
  private readonly entries: UpdateEntry[] = [];
  private readonly renames: Path[] = [];
  private readonly filters: ArrayFilters;
  private readonly tree: UpdateBranch;
  private readonly positional: boolean;

  constructor(update: Doc, arrayFilters: readonly Doc[]) {
    this.filters = new ArrayFilters(arrayFilters);
    for (const [name, fields] of update) this.addOperator(name, fields);
    this.filters.checkAllUsed(update);
    this.tree = buildTree(this.entries);
    this.positional = this.entries.some((entry) => entry.parts.includes('$'));
  }

  apply(doc: Doc, context: UpdateContext): Doc {
    for (const path of this.renames) checkRenameSource(doc, path);
    return new Application(doc, context, this.filters).run(
      this.positional ? this.placed(context) : this.tree,
    );
  }

  /** The tree with the matched element's index in place of `$`; only now can all conflicts be seen. */
  private placed(context: UpdateContext): UpdateBranch {
    const { position } = context;
    if (position === undefined) {
      throw badValue('The positional operator did not find the match needed from the query.');
    }
    return buildTree(
      this.entries.map(({ parts, op }) => ({
        op,
        parts: parts.map((part) => (part === '$' ? String(position) : part)),
      })),
    );
  }

  private addOperator(name: string, fields: Value): void {
    const parse = updateOperators.get(name);
    if (!parse && name !== '$rename') {
      throw new MongoError(
        ErrorCode.FailedToParse,
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
    if (!(fields instanceof Map)) {
      throw new MongoError(
        ErrorCode.FailedToParse,
        `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${display(fields)}}`,
      );
    }
    for (const [path, operand] of fields) {
      if (parse) this.add({ parts: checkedUpdatePath(path), op: parse(path, operand) });
      else this.addRename(path, operand);
    }
  }

  private addRename(path: string, operand: Value): void {
    for (const entry of renameEntries(path, operand)) this.add(entry);
    this.renames.push(parsePath(path));
  }

  private add(entry: UpdateEntry): void {
    const path = entry.parts.join('.');
    for (const part of entry.parts) if (isArrayFilterPart(part)) this.filters.use(part, path);
    if (entry.op.blocked === 'create') checkStorable(entry.parts);
    this.entries.push(entry);
  }
}
