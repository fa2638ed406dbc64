/// The way between samples in rows, as data comes and goes, and samples in columns, as a network computes.
package enum Transposition {
    /// Writes one sample's elements to a column of a matrix with `columnCount` columns.
    @specialized(where Source == Float, Scalar == Float)
    @specialized(where Source == Float, Scalar == Double)
    @specialized(where Source == UInt8, Scalar == Float)
    @specialized(where Source == UInt8, Scalar == Double)
    package static func write<Source: ConvertibleElement, Scalar: NetworkScalar>(
        _ source: UnsafePointer<Source>, count: Int, toColumn column: Int, of columnCount: Int,
        into matrix: UnsafeMutablePointer<Scalar>
    ) {
        var position = column
        for index in 0..<count {
            matrix[position] = source[index].converted()
            position &+= columnCount
        }
    }

    /// Reads a column of a matrix with `columnCount` columns to one sample's elements.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package static func read<Scalar: NetworkScalar>(
        column: Int, of columnCount: Int, from matrix: UnsafePointer<Scalar>,
        into target: UnsafeMutableBufferPointer<Scalar>
    ) {
        var position = column
        for index in 0..<target.count {
            target[index] = matrix[position]
            position &+= columnCount
        }
    }
}

/// An element of an image or a mask that a network can take.
package protocol ConvertibleElement: BitwiseCopyable {
    func converted<Scalar: NetworkScalar>() -> Scalar
}

extension Float: ConvertibleElement {
    package func converted<Scalar: NetworkScalar>() -> Scalar { Scalar(self) }
}

extension UInt8: ConvertibleElement {
    package func converted<Scalar: NetworkScalar>() -> Scalar { Scalar(self) }
}
