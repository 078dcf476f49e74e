import { accumulatingOperators } from './operators/accumulating.js';
import { arithmeticOperators } from './operators/arithmetic.js';
import { arrayOperators } from './operators/arrays.js';
import { conversionOperators } from './operators/conversion.js';
import { dateOperators } from './operators/dates.js';
import { iterationOperators } from './operators/iteration.js';
import { logicOperators } from './operators/logic.js';
import { objectOperators } from './operators/objects.js';
import { roundingOperators } from './operators/rounding.js';
import { setOperators } from './operators/sets.js';
import { stringOperators } from './operators/strings.js';
import type { OperatorTable } from './scope.js';

/** Every expression operator by name. */
export const operators: OperatorTable = {
  $literal: (operand) => () => operand,
  ...accumulatingOperators,
  ...arithmeticOperators,
  ...arrayOperators,
  ...conversionOperators,
  ...dateOperators,
  ...iterationOperators,
  ...logicOperators,
  ...objectOperators,
  ...roundingOperators,
  ...setOperators,
  ...stringOperators,
};
