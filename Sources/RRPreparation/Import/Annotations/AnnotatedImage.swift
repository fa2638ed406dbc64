internal import RRDatasets
internal import RRFormats

/// What a source of annotations says of one image.
struct AnnotatedImage: Sendable {
    /// The names by which it may be a sample's, one for each of its source's namings, without an extension.
    var names: [String]
    /// The size that its coordinates are of; nil where the source does not say it.
    var size: (height: Int, width: Int)?
    /// `the image a.png`
    let description: String
    /// The file that says it.
    let path: String
    var shapes: [AnnotatedShape] = []
    /// Whether somebody has looked at it, so that without a shape it says that nothing is marked.
    var isLookedAt: Bool

    func fault(_ message: String) -> DatasetError {
        DatasetError(.badAnnotation, path: path, "\(description): \(message)")
    }
}

/// A region that is marked on an image.
struct AnnotatedShape: Sendable {
    let form: AnnotationForm
    /// What it is called; ids of classes where the source has numbers.
    var labels: [String]
    /// `shape 3 (“logo”)`
    let description: String

    /// - Parameter position: its place in its list, from 0.
    init(_ form: AnnotationForm, labels: [String], position: Int) {
        self.form = form
        self.labels = labels
        let named = labels.isEmpty ? "" : " (“\(labels.joined(separator: "”, “"))”)"
        description = "shape \(position)\(named)"
    }
}

/// All images of a source of annotations.
struct AnnotationSet: Sendable {
    let path: String
    var images: [AnnotatedImage] = []
    /// What each of the images' names is: `the column file_name`.
    var namings: [String]
    /// The names of classes whose ids stand as labels.
    var classNames: [String: String] = [:]
    /// Labels that the source lists, whether shapes have them or not.
    var listedLabels: [String] = []
    /// How many shapes of kinds that enclose nothing were met.
    var untaken: [String: Int] = [:]
    var notes: [Message] = []

    /// The labels of shapes that are asked for by name, or by id where no class is called so; nil for all.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption`.
    func labels(wanted: [String]) throws(DatasetError) -> Set<String>? {
        guard !wanted.isEmpty else { return nil }
        let met = Set(images.lazy.flatMap(\.shapes).flatMap(\.labels)).union(listedLabels)
        var found: Set<String> = []
        for label in wanted {
            let named = classNames.filter { $0.value == label }.map(\.key)
            guard !named.isEmpty || met.contains(label) || classNames[label] != nil else {
                let known = met.union(classNames.keys).sorted().map { id in
                    classNames[id].map { "\($0) (\(id))" } ?? id
                }
                let more = known.count > 20 ? ", …" : ""
                throw DatasetError(
                    .invalidOption, path: path,
                    "there is no label “\(label)”; there are \(known.prefix(20).joined(separator: ", "))\(more)"
                        + NearestNames(to: label, among: (met.union(classNames.values)).sorted()).question)
            }
            found.formUnion(named.isEmpty ? [label] : named)
        }
        return found
    }

    /// What was met that is not taken; nil where all is.
    var noteOnUntaken: Message? {
        guard !untaken.isEmpty else { return nil }
        let kinds = untaken.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return Message("shapes that enclose nothing, left out: \(kinds.joined(separator: ", "))")
    }
}
