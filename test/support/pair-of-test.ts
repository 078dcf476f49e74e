import { newPair } from './pair.js';

/** The people of the running test: whoever imports these names has others in every test. */
export let { asha, ravi, mallory, conversationId } = newPair();

beforeEach(() => {
  ({ asha, ravi, mallory, conversationId } = newPair());
});
