import { ToldAccepts } from '../../src/call/told-accepts.js';

describe('an end that was on its way when the accept was told', () => {
  it('is known by having come in before', () => {
    const told = new ToldAccepts();
    const before = performance.now() - 1;
    told.note('call');
    expect(told.wasUnknown('call', before)).toBe(true);
  });

  it('is none when it came in after', () => {
    const told = new ToldAccepts();
    told.note('call');
    expect(told.wasUnknown('call', performance.now() + 1)).toBe(false);
  });

  it('is none of a call of which this node told nothing', () => {
    const told = new ToldAccepts();
    const before = performance.now() - 1;
    told.note('another call');
    expect(told.wasUnknown('call', before)).toBe(false);
  });

  it('says nothing of the first telling any more when there was a second', () => {
    const told = new ToldAccepts();
    told.note('call');
    const between = performance.now() + 1;
    while (performance.now() <= between);
    told.note('call');
    expect(told.wasUnknown('call', between)).toBe(true);
  });
});
