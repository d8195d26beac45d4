/** The icons, drawn on a grid of 20: lines as thick as the text beside them. Words say what they mean. */
const PATHS = {
  arrow: 'M12 4 6 10l6 6',
  cancel: 'M5 5l10 10M15 5 5 15',
  check: 'M4 10.5 8 14.5 16 6',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  full: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
  pause: 'M7 4.5v11M13 4.5v11',
  play: 'M6.5 4.5v11l9-5.5z',
  retry: 'M15.5 8A6 6 0 1 0 16 11M16 4v4h-4',
  sound: 'M4 8v4h3l4 3.5v-11L7 8zM14 7.5a3.5 3.5 0 0 1 0 5M16.2 5a7 7 0 0 1 0 10',
  mute: 'M4 8v4h3l4 3.5v-11L7 8zM14 8l4 4M18 8l-4 4',
  upload: 'M10 14V4M5.5 8.5 10 4l4.5 4.5M4 16.5h12',
  search: 'M9 14A5 5 0 1 0 9 4a5 5 0 0 0 0 10zM12.7 12.7 16.5 16.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill={name === 'play' ? 'currentColor' : 'none'}
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
