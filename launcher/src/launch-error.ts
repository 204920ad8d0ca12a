/** Something that the person who starts us can put right. Its message is all that they need. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}
