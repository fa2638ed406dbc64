import RRDatasets
import RRPreparation

extension Finding {
    /// What repairs the finding, as a command or in words; nil where it cannot be told.
    var remedy: String? { repair.map { remedy(of: $0) } }

    private func remedy(of repair: Repair) -> String {
        switch repair {
        case .restoreFile: "copy or import the file anew"
        case .useNewerRelease: "use a newer release of rrdata"
        case .importArrays(let path):
            "rrdata import hdf5 \(path) makes datasets and mask sets of any arrays"
        case .giveDatasetFirst: "rrdata validate D.h5 [M.h5 …] takes the dataset first, then its mask sets"

        case .importImagesAnew: "import the images anew with rrdata import hdf5"
        case .importImages(let path, let array, let layout):
            "rrdata import hdf5 \(path) --images \(array) --layout \(layout.rawValue) -o D.h5"
        case .giveUniqueIDs: "give every sample an id of its own"
        case .importDatasetAnew: "import the dataset anew"
        case .importUnchangedDataset:
            "import the dataset anew; masks made for it refer to the stored fingerprint"
        case .normalizeInputs: "rrdata train --normalize auto"

        case .giveDatasetOfMasks:
            "give the dataset that the masks were made for, or make masks for this one"
        case .giveDatasetMade(let command):
            "rrdata validate with the dataset that `rrdata \(command)` wrote"
        case .restoreLabels:
            "images and ids are the same, so the masks still belong to these rows: import the dataset with its "
                + "labels as they were, or make the masks anew for this one"
        case .removeIDs: "import the dataset without ids, or make the masks anew for this one"
        case .fitMasksToImages: "masks need the height and width of the images, and their channels or one"
        case .importSourceOfMasks(let layout):
            "rrdata import hdf5 SOURCE.h5 --images IMAGES --masks A --masks-layout \(layout.rawValue) -o D.h5 "
                + "--masks-output M.h5"
        case .importMasksAnew:
            "`rrdata import hdf5 … --masks A` takes masks of 0 and 255 and stores 0 and 1"
        case .countRowsFromZero: (severity == .warning ? "if so, " : "") + "subtract 1 from /row"
        case .storeLastRow(let row, inPlaceOfMinusOne: true):
            "store \(row), the row of the last, all-zero mask, in place of −1"
        case .storeLastRow(let row, inPlaceOfMinusOne: false):
            "unannotated samples have the row of the last, all-zero mask: \(row)"
        case .appendZeroRow: "append a row of zeros to A, and let unannotated samples refer to it"
        case .moveRows(let distance):
            "look at images and masks that rrdata export pngs writes; sample i probably needs the row that sample "
                + "i \(distance < 0 ? "−" : "+") \(distance.magnitude) has"
        case .chooseMaskValues:
            "decide which values mean “no valid reason”, and store 1 there and 0 elsewhere"
        case .invertMasks(let areImported):
            "if so, import them \(areImported ? "anew " : "")with --marks right, which inverts them"

        case .importMasks(let source, let array, let dataset, let layout, let marks):
            Self.importOfMasks(source, array, for: dataset, layout, marks) + ", if row i is for sample i"
        case .readMasks(let layout): "import it with --masks-layout \(layout.rawValue)"
        case .selectMaskedSamples:
            "say which samples have a mask, with --rows, --ids or --flags at the import"
        case .removeSurplusMasks: "find the masks that belong to no sample"
        case .importMasksOf255: "the import takes 0 and 255 and stores 0 and 1"
        case .thresholdMasks: "soft masks need --mask-threshold at the import"
        case .compareOrder: "compare the order of the masks with that of the samples before the import"

        case .train: "rrdata train D.h5 --model mlp -o RUN makes one"
        case .restoreRun: "copy it from where the run was made, or train again"
        case .giveDatasetOfRun: "give the dataset that the run was trained on"
        case .trainMoreGently: "train again with a smaller --learning-rate or --lambda1"
        case .restoreWeights: "weights and model.json must be of the same run"
        }
    }

    /// `rrdata import masks a.npy --for d.h5 --marks right -o M.h5`
    private static func importOfMasks(
        _ source: String, _ array: String?, for dataset: String, _ layout: ArrayLayout?, _ marks: MaskMarks
    ) -> String {
        var words = ["rrdata import masks", source]
        if let array { words += ["--masks", array] }
        words += ["--for", dataset]
        if let layout { words += ["--masks-layout", layout.rawValue] }
        if marks != .wrong { words += ["--marks", marks.rawValue] }
        return (words + ["-o M.h5"]).joined(separator: " ")
    }
}
