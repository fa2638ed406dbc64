public import RRDatasets

/// What can be done about a finding.
///
/// A repair says what, with the values that are to be given; each interface says how. Of those that are an import,
/// `maskImport(output:)` and `arrayImport(output:)` make the one to run.
public enum Repair: Hashable, Sendable {
    // Any file.
    /// Copy the file from where it is sound, or import it anew.
    case restoreFile
    /// Use a newer release, which reads the format version.
    case useNewerRelease
    /// Import the arrays of a file that another program wrote.
    case importArrays(path: String)
    /// Give the dataset first, then its mask sets.
    case giveDatasetFirst

    // A dataset.
    /// Import the images anew, which names their dimensions.
    case importImagesAnew
    /// Import an array of a file as images whose dimensions stand in another order.
    case importImages(path: String, array: String, layout: ArrayLayout)
    /// Give every sample an id of its own.
    case giveUniqueIDs
    /// Import the dataset anew.
    case importDatasetAnew
    /// Import the dataset anew as it was: masks made for it refer to the stored fingerprint.
    case importUnchangedDataset
    /// Train with inputs that are normalised.
    case normalizeInputs

    // A mask set.
    /// Give the dataset that the masks were made for, or make masks for this one.
    case giveDatasetOfMasks
    /// Give the dataset that an operation made of this one; the provenance of the masks names its command.
    case giveDatasetMade(by: String)
    /// Import the dataset with its labels as they were, or make the masks anew. Images and ids are the same.
    case restoreLabels
    /// Import the dataset without ids, or make the masks anew.
    case removeIDs
    /// Give the masks the height and width of the images, and their channels or one.
    case fitMasksToImages
    /// Import anew what the mask set was made of, with masks of this layout.
    case importSourceOfMasks(layout: ArrayLayout)
    /// Import A anew, which makes 1 of 255.
    case importMasksAnew
    /// Subtract 1 from every element of `/row`.
    case countRowsFromZero
    /// Give unannotated samples the row of the last, all-zero mask, in place of −1 or of any row that is out of range.
    case storeLastRow(Int, inPlaceOfMinusOne: Bool)
    /// Append a row of zeros to A, and let unannotated samples refer to it.
    case appendZeroRow
    /// Give each sample the row of the sample so many places after it, after a look at the images and their masks.
    case moveRows(by: Int)
    /// Decide which values mean “no valid reason”, and store 1 there and 0 elsewhere.
    case chooseMaskValues
    /// Import the masks, anew where they are imported already, as marks of the right region, which inverts them.
    case invertMasks(areImported: Bool)

    // An array of another program, given as masks.
    /// Import the array, of that name where the file holds several, as masks of a dataset, row i for sample i.
    case importMasks(
        source: String, array: String?, dataset: String, layout: ArrayLayout?, marks: MaskMarks)
    /// Import the array with this layout of masks.
    case readMasks(layout: ArrayLayout)
    /// Say at the import which samples have a mask: by rows, ids or flags.
    case selectMaskedSamples
    /// Find the masks that belong to no sample.
    case removeSurplusMasks
    /// Nothing but the import, which takes 0 and 255 and stores 0 and 1.
    case importMasksOf255
    /// Say at the import from which value on an element counts as 1.
    case thresholdMasks
    /// Compare the order of the masks with that of the samples before the import.
    case compareOrder

    // A run.
    /// Train a model: the folder is no run.
    case train
    /// Copy the file from where the run was made, or train again.
    case restoreRun
    /// Give the dataset that the run was trained on.
    case giveDatasetOfRun
    /// Train again with a smaller learning rate or λ1.
    case trainMoreGently
    /// Give weights and model of the same run.
    case restoreWeights
}

extension Repair {
    /// The import of masks that repairs; nil for any other repair.
    ///
    /// - Parameter output: where the mask set is to be written.
    public func maskImport(output: String) -> MaskImport? {
        guard case .importMasks(let source, let array, let dataset, let layout, let marks) = self else {
            return nil
        }
        var options = MaskImport.Options()
        options.masks = array
        options.masksLayout = layout
        options.marks = marks
        return MaskImport(source: source, dataset: dataset, output: output, options: options)
    }

    /// The import of images that repairs; nil for any other repair.
    ///
    /// - Parameter output: where the dataset is to be written.
    public func arrayImport(output: String) -> ArrayImport? {
        guard case .importImages(let path, let array, let layout) = self else { return nil }
        var options = ArrayImport.Options(images: [array])
        options.layout = layout
        return ArrayImport(format: .hdf5, files: [path], output: output, options: options)
    }
}
