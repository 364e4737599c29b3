"""Pictures as points in the space of a layer: neighbours, maps, and what excites a channel most.

- ``pictures``: whole photos, windows and crops of detections as small pictures
- ``vectors``: what a layer makes of each picture; what the pixels are
- ``neighbours``: the nearest pictures of a picture
- ``maps``: PCA, and the steps of a t-SNE; new pictures placed into a map that stands
- ``patches``: the parts of pictures that excite a channel most, cut by the receptive field
"""
