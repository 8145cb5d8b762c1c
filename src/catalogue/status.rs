//! The phrases of statuses.

use super::language::{Language, Text};

macro_rules! phrases {
    ($( $status:literal en $en:literal de $de:literal fr $fr:literal es $es:literal zh $zh:literal )*) => {
        /// The phrase of a status that the engine uses: the registered one (RFC 9110 section 15, RFC 6585), or what it
        /// is called in another language.
        pub const fn phrase(status: u16, language: Language) -> &'static str {
            match status {
                $( $status => Text { en: $en, de: $de, fr: $fr, es: $es, zh: $zh }.of(language), )*
                _ => "Error",
            }
        }

        #[cfg(test)]
        pub(super) const ALL: &[(u16, Text)] =
            &[ $( ($status, Text { en: $en, de: $de, fr: $fr, es: $es, zh: $zh }), )* ];
    };
}

phrases! {
    200 en "OK"
        de "In Ordnung"
        fr "Succès"
        es "Correcto"
        zh "成功"
    303 en "See Other"
        de "Siehe andere Adresse"
        fr "Voir une autre adresse"
        es "Ver otra dirección"
        zh "参见其他地址"
    400 en "Bad Request"
        de "Ungültige Anfrage"
        fr "Requête incorrecte"
        es "Solicitud incorrecta"
        zh "错误的请求"
    401 en "Unauthorized"
        de "Nicht autorisiert"
        fr "Non autorisé"
        es "No autorizado"
        zh "未授权"
    403 en "Forbidden"
        de "Zugriff verboten"
        fr "Accès interdit"
        es "Acceso prohibido"
        zh "禁止访问"
    413 en "Content Too Large"
        de "Inhalt zu groß"
        fr "Contenu trop volumineux"
        es "Contenido demasiado grande"
        zh "内容过大"
    429 en "Too Many Requests"
        de "Zu viele Anfragen"
        fr "Trop de requêtes"
        es "Demasiadas solicitudes"
        zh "请求过多"
    431 en "Request Header Fields Too Large"
        de "Kopffelder der Anfrage zu groß"
        fr "En-têtes de requête trop volumineux"
        es "Cabeceras de la solicitud demasiado grandes"
        zh "请求标头字段过大"
    500 en "Internal Server Error"
        de "Interner Serverfehler"
        fr "Erreur interne du serveur"
        es "Error interno del servidor"
        zh "服务器内部错误"
    503 en "Service Unavailable"
        de "Dienst nicht verfügbar"
        fr "Service indisponible"
        es "Servicio no disponible"
        zh "服务不可用"
}
