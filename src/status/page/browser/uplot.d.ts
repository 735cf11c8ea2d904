/** The server has uPlot's own module at this place. */
// oxlint-disable-next-line import/no-default-export -- uPlot has no other
export { default } from 'uplot';
