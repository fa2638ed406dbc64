internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The samples that a model is measured on after every epoch.
///
/// A text names a split of the training dataset, or `all`, where there is one of that name; else it is the path of another
/// dataset, of which the split `val` is taken where it has one, `validation` or `test` otherwise, and all samples where it
/// has none of them.
struct ValidationSource {
    let dataset: Dataset
    let split: String
    /// Where another dataset lies; nil for that of the training.
    let path: String?
    /// How the classes of another dataset were matched with those of the training.
    let note: Message?

    /// - Parameter resizes: whether images are resized and cropped before they are measured on.
    /// - Throws: `TrainingError` with the code `invalidOption` where the text names neither, or `unsuitableDataset` where
    ///   the other dataset has no labels, images of another shape, or classes that the training does
    ///   not know; `FormatError` or `DatasetError`
    ///   where its file is no dataset.
    init(_ text: String, for training: Dataset, resizes: Bool) throws {
        if text == "all" || training.splitNames.contains(text) {
            dataset = training
            split = text
            (path, note) = (nil, nil)
            return
        }
        guard let kind = FileTree.kind(of: text), kind != .folder else {
            let splits =
                training.splitNames.isEmpty ? "no splits" : training.splitNames.joined(separator: ", ")
            throw TrainingError(
                .invalidOption, .option(.validation),
                "“\(text)” is neither a split of \(training.path), which has \(splits), nor a file"
                    + NearestNames(to: text, among: training.splitNames + ["all"]).question)
        }
        let other = try Dataset(path: text)
        func refusal(_ message: Message) -> TrainingError {
            TrainingError(.unsuitableDataset, .option(.validation, value: text), message)
        }
        guard other.labels != nil else { throw refusal("has no labels to measure the model against") }
        guard
            other.imageShape == training.imageShape
                || resizes && other.imageShape.channels == training.imageShape.channels
        else {
            throw refusal(
                "has images of \(other.imageShape), but \(training.path) of \(training.imageShape): import them with "
                    + "the same \(option: .size) and \(option: .color)")
        }
        let match: ClassMatch
        do throws(TrainingError) {
            match = try ClassMatch(
                other, with: training.classNames.map { .known($0) } ?? .bareNumbers,
                classCount: training.classCount, of: "\(training.path)")
        } catch {
            throw refusal(error.message)
        }
        guard match.dataset.classCount <= training.classCount else {
            throw refusal("has \(other.classCount) classes, but \(training.path) \(training.classCount)")
        }
        dataset = match.dataset
        note = match.note
        split = ["val", "validation", "test"].first(where: other.splitNames.contains) ?? "all"
        path = text
    }
}
