package import RRFormats
internal import RRTensor

/// What a mask set says of the dataset that it is for, to be compared with a dataset.
package struct MaskMatch {
    package struct Mismatch {
        package let code: DatasetError.Code
        /// The array in the mask file; nil for the file.
        package let objectPath: String?
        package let message: Message
    }

    package let sampleCount: Int
    /// `(C, H, W)`
    package let maskShape: [Int]
    package let datasetFingerprint: String?

    package init(sampleCount: Int, maskShape: [Int], datasetFingerprint: String?) {
        self.sampleCount = sampleCount
        self.maskShape = maskShape
        self.datasetFingerprint = datasetFingerprint
    }

    /// What does not fit, the plainest first.
    package func mismatches(
        datasetPath: String, sampleCount: Int, imageShape: [Int], fingerprint: String?
    ) -> [Mismatch] {
        var mismatches: [Mismatch] = []
        if sampleCount != self.sampleCount {
            mismatches.append(
                Mismatch(
                    code: .otherDataset, objectPath: "/row",
                    message:
                        "the masks are for \(self.sampleCount) samples, but \(datasetPath) has \(sampleCount)"
                ))
        }
        if let mismatch = sizeMismatch(datasetPath: datasetPath, imageShape: imageShape) {
            mismatches.append(mismatch)
        }
        if let fingerprint, let datasetFingerprint, fingerprint != datasetFingerprint {
            mismatches.append(
                Mismatch(
                    code: .otherDataset, objectPath: nil,
                    message: "the masks were made for another dataset: their dataset_fingerprint is "
                        + "\(datasetFingerprint.prefix(12))…, but the fingerprint of \(datasetPath) is "
                        + "\(fingerprint.prefix(12))… (its pixels, labels or ids differ)"))
        }
        return mismatches
    }

    /// Throws the plainest mismatch with a dataset.
    ///
    /// - Throws: also `DatasetError` with the code `unreadableImage` where the images of a folder cannot be read.
    package func check(for dataset: Dataset, path: String) throws(DatasetError) {
        func first(_ fingerprint: String?) -> Mismatch? {
            mismatches(
                datasetPath: dataset.path, sampleCount: dataset.sampleCount,
                imageShape: dataset.imageShape.dimensions, fingerprint: fingerprint
            ).first
        }
        // What is told without a fingerprint comes before it is computed.
        var mismatch = first(nil)
        if mismatch == nil { mismatch = first(try Self.fingerprint(of: dataset)) }
        guard let mismatch else { return }
        throw DatasetError(
            mismatch.code, path: mismatch.objectPath.map { "\(path):\($0)" } ?? path, mismatch.message)
    }

    private static func fingerprint(of dataset: Dataset) throws(DatasetError) -> String {
        do {
            return try dataset.fingerprint
        } catch let error as DatasetError {
            throw error
        } catch let error as FormatError {
            throw DatasetError(.unreadableImage, path: error.path, error.message)
        } catch {
            throw DatasetError(.unreadableImage, path: dataset.path, "\(error)")
        }
    }

    private func sizeMismatch(datasetPath: String, imageShape: [Int]) -> Mismatch? {
        guard maskShape.count == 3, imageShape.count == 3 else { return nil }
        let fits = maskShape[1...] == imageShape[1...] && (maskShape[0] == imageShape[0] || maskShape[0] == 1)
        guard !fits else { return nil }
        let masks = "the masks are C = \(maskShape[0]), H = \(maskShape[1]), W = \(maskShape[2])"
        let images =
            "the images of \(datasetPath) are C = \(imageShape[0]), H = \(imageShape[1]), W = \(imageShape[2])"
        guard let layout = Self.layout(of: maskShape, imageShape: imageShape) else {
            return Mismatch(
                code: .wrongMaskSize, objectPath: "/A", message: "\(masks), but \(images)")
        }
        let letters = layout.map(String.init).joined(separator: ",")
        return Mismatch(
            code: .wrongMaskSize, objectPath: "/A",
            message:
                "A is (\(letters)), where (N,C,H,W) is needed: read as (N,C,H,W), \(masks), but \(images)")
    }

    /// The order of dimensions in which masks of this shape would fit images of that; nil where none does.
    package static func layout(of maskShape: [Int], imageShape: [Int]) -> String? {
        let orders: [(name: String, channel: Int, height: Int, width: Int)] = [
            ("NHWC", 2, 0, 1), ("NWHC", 2, 1, 0), ("NCWH", 0, 2, 1),
        ]
        return orders.first { order in
            maskShape[order.height] == imageShape[1] && maskShape[order.width] == imageShape[2]
                && (maskShape[order.channel] == imageShape[0] || maskShape[order.channel] == 1)
        }?.name
    }
}
