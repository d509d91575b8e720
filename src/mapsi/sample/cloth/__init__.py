"""What garments are drawn with: colours, curves, fabrics, the sheet they lie on, the light."""
