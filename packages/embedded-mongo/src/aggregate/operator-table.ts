import { Double } from 'bson';
import { MongoError } from '../errors.js';
import { accumulatingOperators } from './operators/accumulating.js';
import { arithmeticOperators } from './operators/arithmetic.js';
import { arrayOperators } from './operators/arrays.js';
import { conversionOperators } from './operators/conversion.js';
import { dateOperators } from './operators/dates.js';
import { iterationOperators } from './operators/iteration.js';
import { logicOperators } from './operators/logic.js';
import { objectOperators } from './operators/objects.js';
import { regexOperators } from './operators/regex.js';
import { roundingOperators } from './operators/rounding.js';
import { setOperators } from './operators/sets.js';
import { stringOperators } from './operators/strings.js';
import { zipOperators } from './operators/zip.js';
import type { OperatorTable } from './scope.js';

/** Every expression operator by name. */
export const operators: OperatorTable = {
  $literal: (operand) => () => operand,
  $rand: (operand) => {
    if ((operand instanceof Map && operand.size === 0) || (Array.isArray(operand) && operand.length === 0))
      return () => new Double(Math.random());
    throw new MongoError(3040501, '$rand does not currently accept arguments');
  },
  ...accumulatingOperators,
  ...arithmeticOperators,
  ...arrayOperators,
  ...conversionOperators,
  ...dateOperators,
  ...iterationOperators,
  ...logicOperators,
  ...objectOperators,
  ...regexOperators,
  ...roundingOperators,
  ...setOperators,
  ...stringOperators,
  ...zipOperators,
};
