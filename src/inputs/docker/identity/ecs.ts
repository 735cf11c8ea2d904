const PREFIX = 'com.amazonaws.ecs.';

/**
 * What Amazon ECS says about a container by its labels, under the names that
 * FireLens gives to these fields (formats.md 8); empty for any other container.
 */
export function ecsFields(labels: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const label = (name: string): string | undefined => labels[PREFIX + name];
  const family = label('task-definition-family');
  const revision = label('task-definition-version');
  const definition =
    family === undefined || revision === undefined ? undefined : `${family}:${revision}`;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['ecs_cluster', label('cluster')],
    ['ecs_task_arn', label('task-arn')],
    ['ecs_task_definition', definition],
    ['ecs_container_name', label('container-name')],
  ];
  return new Map(fields.filter((field): field is [string, string] => field[1] !== undefined));
}
