/** Which database: a deployed one, or that of STATE_DIR; of which environment of wrangler.toml. */
export interface Place {
  remote: boolean;
  /** Empty: the top level. */
  env: string;
}

export const nameOf = ({ remote, env }: Place): string =>
  remote ? `the deployed database (${env || 'top level'})` : 'the database of STATE_DIR';
