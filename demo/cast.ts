import { randomUUID } from 'node:crypto';
import { Person } from './person.js';
import type { DemoServer } from './server.js';

/** Somebody of that type and name comes in, under an id that nobody had in an earlier run. */
export type Join = (type: string, name: string) => Promise<Person>;

/** Plays a scene, after which everybody leaves. `run` is in the ids of all who play in it. */
export async function play(
  server: DemoServer,
  scene: (join: Join, run: string) => Promise<void>,
): Promise<void> {
  const run = randomUUID().slice(0, 8);
  const people: Person[] = [];
  const join: Join = async (type, name) => {
    const id = type === 'admin' ? 'admin' : `${name.toLowerCase()}-${run}`;
    const person = await Person.connect(server, type, id, name);
    people.push(person);
    return person;
  };
  try {
    await scene(join, run);
  } finally {
    for (const person of people) person.leave();
  }
}
