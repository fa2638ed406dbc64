public import RRDatasets
public import RRFormats
internal import RRNetworks

/// Which of a model's classes each class of a dataset is.
///
/// Two datasets number their classes each by itself: what is class 0 of one with the folders `b` and `c` is class 1 of a
/// model that was trained on `a`, `b` and `c`. So classes are matched by their names, and numbers are taken for what they
/// say only where one side has no names.
public struct ClassMatch: Sendable {
    /// The dataset with its labels as the model has them, and the model's names; the dataset itself where they are alike.
    public let dataset: Dataset
    /// How the classes were matched, where that is not as plain as day.
    public let note: Message?

    /// What is known of a model's classes.
    enum Names: Equatable {
        /// By label.
        case known([String])
        /// The model was trained on labels that are bare numbers.
        case bareNumbers
        /// Nobody wrote down what they are called.
        case unknown
    }

    /// Matches the classes of a dataset with those of a model.
    ///
    /// - Parameters:
    ///   - names: what the classes of the model are called.
    ///   - classCount: the number of the model's classes.
    ///   - owner: whose classes they are, for messages: `the model of run`.
    /// - Throws: `TrainingError` with the code `unknownClass` where samples are of a class that the model does not have.
    init(_ dataset: Dataset, with names: Names, classCount: Int, of owner: String) throws(TrainingError) {
        guard let samples = dataset.labels,
            let labels = Self.labels(ofClassesOf: dataset, with: names, classCount: classCount)
        else {
            self.dataset = dataset
            let isNamed = dataset.labels != nil && dataset.classNames != nil && names == .bareNumbers
            note =
                isNamed
                ? "\(dataset.path) names its classes, but \(owner) knows them by number only: \(Self.list(dataset.classNames ?? []))"
                : nil
            return
        }
        if let stranger = samples.first(where: { labels[$0] == nil }) {
            throw Self.unknownClass(stranger, of: dataset, names, classCount: classCount, owner)
        }
        let known: [String]? = if case .known(let known) = names { known } else { nil }
        let own = dataset.classNames
        if !labels.enumerated().allSatisfy({ $1 == nil || $1 == $0 }) {
            let pairs = labels.enumerated().compactMap { label, number in
                number.map { "\(own?[label] ?? String(label)) is \($0)" }
            }
            note =
                "the classes of \(dataset.path) are those of \(owner) by name, whose numbers differ: \(Self.shortened(pairs))"
        } else if let known, own == nil {
            note =
                Self.wholeNumbers(known) == nil
                ? "\(dataset.path) does not name its classes; its labels are taken for the numbers of \(owner): \(Self.list(known))"
                : nil
        } else {
            note = nil
            if known == nil || known == own {
                self.dataset = dataset
                return
            }
        }
        self.dataset = Dataset(dataset, labels: samples.map { labels[$0] ?? $0 }, classNames: known)
    }

    /// The model's label for each label of a dataset, nil for a class that the model does not have; nil where labels say
    /// the same on both sides, or nobody knows better.
    private static func labels(ofClassesOf dataset: Dataset, with names: Names, classCount: Int) -> [Int?]? {
        switch (names, dataset.classNames) {
        case (.known(let known), let own?):
            return own.map { name in
                // Two names may differ only in their Unicode normalisation; else that does not matter.
                known.firstIndex { $0.utf8.elementsEqual(name.utf8) } ?? known.firstIndex(of: name)
            }
        case (.known(let known), nil):
            let numbers = wholeNumbers(known) ?? Array(known.indices)
            return (0..<dataset.classCount).map { numbers.firstIndex(of: $0) }
        case (.bareNumbers, let own?):
            return wholeNumbers(own)?.map { $0 < classCount ? $0 : nil }
        case (.bareNumbers, nil), (.unknown, _): return nil
        }
    }

    private static func unknownClass(
        _ label: Int, of dataset: Dataset, _ names: Names, classCount: Int, _ owner: String
    ) -> TrainingError {
        let count = dataset.labels?.count { $0 == label } ?? 0
        let ownName = dataset.classNames?[label]
        let name = ownName.map { "“\($0)”" } ?? String(label)
        var (known, question): (Message, Message) = ("which has \(classCount) classes", "")
        if case .known(let names) = names {
            known = "whose classes are \(list(names))"
            // Numbers are no slips of one another.
            if let ownName, Int(ownName) == nil {
                question = NearestNames(to: ownName, among: names).question
            }
        }
        return TrainingError(
            .unknownClass, .file(dataset.path),
            "has \(count) \(count == 1 ? "sample" : "samples") of the class \(name), which is none of those of \(owner), \(known): "
                + "leave them out, or train on all classes" + question)
    }

    /// What names of whole numbers say; nil where one is something else.
    private static func wholeNumbers(_ names: [String]) -> [Int]? {
        let numbers = names.compactMap { Int($0) }.filter { $0 >= 0 }
        return numbers.count == names.count && Set(numbers).count == numbers.count ? numbers : nil
    }

    private static func list(_ names: [String]) -> String {
        shortened(names.enumerated().map { "\($0) is \($1)" })
    }

    private static func shortened(_ parts: [String]) -> String {
        parts.prefix(10).joined(separator: ", ") + (parts.count > 10 ? ", …" : "")
    }
}

extension Run {
    /// Matches the classes of a dataset with those that the run was trained on.
    ///
    /// A run says what its classes are called; a model with weights of their own does not, and its classes are taken by
    /// number.
    ///
    /// - Throws: `TrainingError` with the code `unknownClass` where samples are of a class that the run does not know.
    public func matching(_ dataset: Dataset) throws(TrainingError) -> ClassMatch {
        try ClassMatch(
            dataset, with: classNames, classCount: model.classCount,
            of: "the model of \(folder ?? weightsPath)")
    }
}
