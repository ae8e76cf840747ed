//! What each field is predicted by: names of velocities become indices, with the rules of `Schema::new` that
//! can be seen in the syntax.

use crate::attributes::{FieldAttributes, Predict};
use crate::model::{PredictorModel, QuantizationModel};
use crate::parse::{Errors, within_field};
use syn::ext::IdentExt;
use syn::{Error, Ident, Result, Type};

type Replicated = (Ident, Type, FieldAttributes);

/// The predictors of all replicated fields.
pub(crate) fn resolve(fields: &[Replicated], skipped: &[Ident]) -> Result<Vec<PredictorModel>> {
    let mut errors = Errors::default();
    let mut predictors = Vec::with_capacity(fields.len());
    for (index, (ident, _, attributes)) in fields.iter().enumerate() {
        let predictor = match (&attributes.velocity, &attributes.predict) {
            (Some(velocity), _) => {
                let resolved = segment(fields, skipped, index, velocity);
                errors.take(resolved.map_err(|error| within_field(&ident.unraw().to_string(), &error)))
            }
            (None, Some((_, Predict::Linear))) => Some(PredictorModel::Linear),
            (None, _) => Some(PredictorModel::Hold),
        };
        predictors.extend(predictor);
    }
    errors.finish()?;
    Ok(predictors)
}

fn segment(fields: &[Replicated], skipped: &[Ident], index: usize, name: &Ident) -> Result<PredictorModel> {
    let refuse = |problem: String| Err(Error::new(name.span(), problem));
    let moves = matches!(
        fields[index].2.quantization,
        Some((
            _,
            QuantizationModel::Ranged { .. }
                | QuantizationModel::AngleStep { .. }
                | QuantizationModel::AngleSteps { .. }
        ))
    );
    if !moves {
        return refuse("only a field that is `ranged` or `angle` has a velocity".to_owned());
    }
    if skipped.contains(name) {
        return refuse(format!("its velocity `{name}` is skipped, and has to be replicated"));
    }
    let Some(velocity) = fields.iter().position(|(ident, ..)| ident == name) else {
        return refuse(format!("its velocity `{name}` is no field of this struct"));
    };
    if velocity == index {
        return refuse("it is its own velocity".to_owned());
    }
    let attributes = &fields[velocity].2;
    if !matches!(attributes.quantization, Some((_, QuantizationModel::Ranged { .. }))) {
        return refuse(format!("its velocity `{name}` has to be `ranged`"));
    }
    if attributes.velocity.is_some() || matches!(attributes.predict, Some((_, Predict::Linear))) {
        return refuse(format!("its velocity `{name}` has to be held, and has a predictor of its own"));
    }
    if let Some((owner, ..)) =
        fields[..index].iter().find(|(.., earlier)| earlier.velocity.as_ref() == Some(name))
    {
        return refuse(format!("its velocity `{name}` belongs to `{owner}` already"));
    }
    Ok(PredictorModel::Segment { velocity, span: name.span() })
}
