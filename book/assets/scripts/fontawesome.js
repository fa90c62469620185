// Empty on purpose: it stands in the place of the theme's 1.5 MB script; the icons come from its web font.
