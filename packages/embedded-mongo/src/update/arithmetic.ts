import { Int32 } from 'bson';
import { add, integer, multiply, toBigInt } from '../bson/arithmetic.js';
import { identicalValues } from '../bson/identical.js';
import { display } from '../bson/display.js';
import { isInt32, isLong, isNumber, type NumberValue, typeName, type Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { idText, lastPart, type LeafContext, type LeafOp } from './leaf.js';

type Operation = (a: NumberValue, b: NumberValue) => NumberValue | undefined;

export function inc(path: string, operand: Value): LeafOp {
  return arithmetic('$inc', 'increment', add, path, operand);
}

export function mul(path: string, operand: Value): LeafOp {
  return arithmetic('$mul', 'multiply', multiply, path, operand);
}

function arithmetic(name: string, verb: string, operation: Operation, path: string, operand: Value): LeafOp {
  if (!isNumber(operand)) {
    throw new MongoError(
      ErrorCode.TypeMismatch,
      `Cannot ${verb} with non-numeric argument: {${path}: ${display(operand)}}`,
    );
  }
  return {
    blocked: 'create',
    apply: (current, context) => {
      // A missing field counts as 0; multiplying keeps the operand's type.
      if (current === undefined) return name === '$inc' ? operand : operation(new Int32(0), operand);
      if (!isNumber(current)) throw nonNumeric(name, current, context);
      const result = operation(current, operand);
      if (result === undefined) throw overflow(name, current, context);
      return identicalValues(result, current) ? current : result;
    },
  };
}

function nonNumeric(name: string, current: Value, context: LeafContext): MongoError {
  return new MongoError(
    ErrorCode.TypeMismatch,
    `Cannot apply ${name} to a value of non-numeric type. ${idText(context.root)} has the field '${lastPart(context.path)}' of non-numeric type ${typeName(current)}`,
  );
}

function overflow(name: string, current: NumberValue, context: LeafContext): MongoError {
  const type = isInt32(current) ? 'NumberInt' : 'NumberLong';
  return badValue(
    `Failed to apply ${name} operations to current value ((${type})${current.toString()}) for document ${idText(context.root)}`,
  );
}

const BIT_OPERATIONS = new Map<string, (a: bigint, b: bigint) => bigint>([
  ['and', (a, b) => a & b],
  ['or', (a, b) => a | b],
  ['xor', (a, b) => a ^ b],
]);

/** `$bit: { field: { and | or | xor: <Int32 or Long> } }`. */
export function bit(_path: string, operand: Value): LeafOp {
  if (!(operand instanceof Map)) {
    throw badValue(
      `The $bit modifier is not compatible with a ${typeName(operand)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  const steps = [...operand].map(([name, value]) => bitStep(name, value));
  if (steps.length === 0) {
    throw badValue(
      `You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  return {
    blocked: 'create',
    apply: (current, context) => {
      const start = current ?? new Int32(0);
      if (!isInt32(start) && !isLong(start)) throw nonIntegral(start, context);
      let result: NumberValue = start;
      for (const step of steps) result = step(result);
      return current !== undefined && identicalValues(result, current) ? current : result;
    },
  };
}

function bitStep(name: string, value: Value): (a: NumberValue) => NumberValue {
  const operation = BIT_OPERATIONS.get(name);
  if (!operation) {
    throw badValue(
      `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: {${name}: ${display(value)}}`,
    );
  }
  if (!isInt32(value) && !isLong(value)) {
    throw badValue(
      `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(value)}' is not supported here: {${name}: ${display(value)}}`,
    );
  }
  return (a) => integer(operation(toBigInt(a), toBigInt(value)), isInt32(a) && isInt32(value)) ?? a;
}

function nonIntegral(current: Value, context: LeafContext): MongoError {
  return badValue(
    `Cannot apply $bit to a value of non-integral type.${idText(context.root)} has the field ${lastPart(context.path)} of non-integer type ${typeName(current)}`,
  );
}
