//! The fixed texts of pages: headings, labels, advice for certain situations.

use super::language::{Language, Text};

macro_rules! texts {
    ($( #[$about:meta] )* $name:ident { $( $( #[$doc:meta] )* $variant:ident en $en:literal de $de:literal fr $fr:literal es $es:literal zh $zh:literal )* }) => {
        $( #[$about] )*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $( #[$doc] )* $variant, )* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [$name] = &[ $( $name::$variant, )* ];

            /// In all languages.
            pub const fn text(self) -> Text {
                match self {
                    $( $name::$variant => Text { en: $en, de: $de, fr: $fr, es: $es, zh: $zh }, )*
                }
            }

            /// In one language.
            pub const fn of(self, language: Language) -> &'static str {
                self.text().of(language)
            }
        }
    };
}

texts! {
    /// What a page says in large letters. Several reasons share one; the sentences below it tell them apart.
    Heading {
        /// Let in: no page says so yet.
        Granted
            en "You have access"
            de "Der Zugriff ist erlaubt"
            fr "L’accès est autorisé"
            es "Acceso permitido"
            zh "可以访问"
        /// The request cannot be read.
        NotUnderstood
            en "This request could not be understood"
            de "Diese Anfrage war nicht verständlich"
            fr "Cette requête n’a pas été comprise"
            es "No se ha entendido la solicitud"
            zh "无法理解该请求"
        /// The request is over a limit.
        TooLarge
            en "This request is too large"
            de "Diese Anfrage ist zu groß"
            fr "Cette requête est trop volumineuse"
            es "La solicitud es demasiado grande"
            zh "该请求过大"
        /// Nobody said who they are.
        LoginNeeded
            en "Please log in"
            de "Bitte melden Sie sich an"
            fr "Veuillez vous connecter"
            es "Inicie sesión"
            zh "请登录"
        /// What was sent does not prove it.
        LoginFailed
            en "Login failed"
            de "Anmeldung fehlgeschlagen"
            fr "La connexion a échoué"
            es "No se ha podido iniciar sesión"
            zh "登录失败"
        /// A login that was good once.
        LoginAgain
            en "Please log in again"
            de "Bitte melden Sie sich erneut an"
            fr "Veuillez vous reconnecter"
            es "Vuelva a iniciar sesión"
            zh "请重新登录"
        /// A second factor is missing.
        OneMoreStep
            en "One more step is needed"
            de "Es fehlt noch ein Schritt"
            fr "Il manque encore une étape"
            es "Falta un paso más"
            zh "还差一步"
        /// The password is too old.
        NewPassword
            en "It is time for a new password"
            de "Zeit für ein neues Passwort"
            fr "Il est temps de changer de mot de passe"
            es "Es hora de cambiar la contraseña"
            zh "该更换密码了"
        /// No route.
        NothingHere
            en "There is nothing here"
            de "Hier ist nichts"
            fr "Il n’y a rien ici"
            es "Aquí no hay nada"
            zh "这里什么也没有"
        /// Known, and not allowed; or not allowed to anybody.
        NoAccess
            en "You do not have access"
            de "Sie haben keinen Zugriff"
            fr "Vous n’avez pas accès"
            es "No tiene acceso"
            zh "您没有访问权限"
        /// The request is of a kind that is not allowed.
        NotThisWay
            en "This is not allowed here"
            de "Das ist hier nicht erlaubt"
            fr "Ceci n’est pas autorisé ici"
            es "Esto no está permitido aquí"
            zh "此处不允许这样做"
        /// No TLS.
        NotSecure
            en "A secure connection is needed"
            de "Eine sichere Verbindung ist nötig"
            fr "Une connexion sécurisée est nécessaire"
            es "Se necesita una conexión segura"
            zh "需要安全连接"
        /// From another site.
        Stopped
            en "This request was stopped"
            de "Diese Anfrage wurde angehalten"
            fr "Cette requête a été bloquée"
            es "Se ha bloqueado la solicitud"
            zh "该请求已被拦截"
        /// Throttled.
        TooMany
            en "Please wait a while"
            de "Bitte warten Sie eine Weile"
            fr "Veuillez patienter"
            es "Espere un poco"
            zh "请稍候"
        /// Something that we depend on is down or full.
        NotAvailable
            en "Not available right now"
            de "Zurzeit nicht verfügbar"
            fr "Indisponible pour le moment"
            es "No disponible por ahora"
            zh "服务暂时不可用"
        /// We are at fault.
        OurFault
            en "Something went wrong"
            de "Etwas ist schiefgegangen"
            fr "Un problème est survenu"
            es "Algo ha fallado"
            zh "出现问题"
    }
}

texts! {
    /// Labels, and advice that depends on more than the reason.
    PageText {
        /// Above the advice.
        WhatToDo
            en "What you can do"
            de "Was Sie tun können"
            fr "Ce que vous pouvez faire"
            es "Qué puede hacer"
            zh "您可以这样做"
        /// The link to the same address.
        TryAgain
            en "Try again"
            de "Noch einmal versuchen"
            fr "Réessayer"
            es "Volver a intentarlo"
            zh "重试"
        /// Where the browser has a login box of its own.
        BrowserAsks
            en "When you try again, your browser asks for your user name and password."
            de "Beim nächsten Versuch fragt Ihr Browser nach Benutzername und Passwort."
            fr "Lors du nouvel essai, votre navigateur vous demandera votre nom d’utilisateur et votre mot de passe."
            es "Al volver a intentarlo, su navegador le pedirá su nombre de usuario y su contraseña."
            zh "重试时，浏览器会要求您输入用户名和密码。"
        /// Where only programs can prove anything.
        ForPrograms
            en "This address is made for programs. Use it through the application that it belongs to."
            de "Diese Adresse ist für Programme gedacht. Nutzen Sie sie über die Anwendung, zu der sie gehört."
            fr "Cette adresse est destinée à des programmes. Utilisez-la par l’application dont elle fait partie."
            es "Esta dirección está pensada para programas. Úsela a través de la aplicación a la que pertenece."
            zh "此地址供程序使用。请通过它所属的应用程序访问。"
        /// Where only a client certificate helps.
        NeedsCertificate
            en "Your device needs a certificate for this. Ask an administrator to set it up."
            de "Ihr Gerät braucht dafür ein Zertifikat. Bitten Sie die Administration, es einzurichten."
            fr "Votre appareil a besoin d’un certificat. Demandez à un administrateur de l’installer."
            es "Su dispositivo necesita un certificado. Pida a un administrador que lo instale."
            zh "您的设备需要证书。请联系管理员进行安装。"
        /// In place of a header field's name, which a page does not show.
        UseListed
            en "Use one of the ways that are listed below."
            de "Nutzen Sie eine der Möglichkeiten, die unten stehen."
            fr "Utilisez l’un des moyens indiqués ci-dessous."
            es "Use una de las formas que se indican abajo."
            zh "请使用下面列出的方式之一。"
        /// Label of the schemes.
        Accepted
            en "Accepted here"
            de "Akzeptiert wird"
            fr "Accepté ici"
            es "Se acepta aquí"
            zh "接受的方式"
        /// Label of the decision's id.
        SupportId
            en "Id for support"
            de "Kennung für den Support"
            fr "Identifiant pour l’assistance"
            es "Identificador para asistencia"
            zh "技术支持编号"
        /// Label of status and reason.
        Code
            en "Error code"
            de "Fehlercode"
            fr "Code d’erreur"
            es "Código de error"
            zh "错误代码"
        /// Scheme `basic`.
        Basic
            en "User name and password"
            de "Benutzername und Passwort"
            fr "Nom d’utilisateur et mot de passe"
            es "Nombre de usuario y contraseña"
            zh "用户名和密码"
        /// Scheme `bearer`.
        Bearer
            en "Access token"
            de "Zugriffstoken"
            fr "Jeton d’accès"
            es "Token de acceso"
            zh "访问令牌"
        /// Scheme `api-key`.
        ApiKey
            en "API key"
            de "API-Schlüssel"
            fr "Clé d’API"
            es "Clave de API"
            zh "API 密钥"
        /// Scheme `session`.
        Session
            en "Login on this site"
            de "Anmeldung auf dieser Website"
            fr "Connexion sur ce site"
            es "Inicio de sesión en este sitio"
            zh "在本网站登录"
        /// Scheme `client-cert`.
        ClientCert
            en "Client certificate"
            de "Client-Zertifikat"
            fr "Certificat client"
            es "Certificado de cliente"
            zh "客户端证书"
    }
}
